//! Where the nodes of a directed graph stand: in layers, after Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
//! structures" (1981).
//!
//! A node's layer is the longest way to it; nodes that feed only later layers are moved down to them. An edge over several layers gets a place in
//! each. The order within layers is improved by barycentres, down and up, and the best order found is kept. Then every layer's places are drawn to their
//! neighbours, at distances that keep everything apart: that is a regression under an order, solved exactly by pooling.

/// Room between neighbours in a layer, and between layers.
const BESIDE: f64 = 18.0;
const BETWEEN: f64 = 34.0;
/// What an edge takes in the layers that it passes.
const PASSING: f64 = 6.0;
const SWEEPS: usize = 12;

/// Where things stand: centres of nodes, and the ways of edges.
pub(crate) struct Layout {
    pub width: f64,
    pub height: f64,
    /// Centres, in the order of the sizes.
    pub centers: Vec<(f64, f64)>,
    /// For each edge the points it passes: it leaves the first and enters the last vertically, and between the points 2k and 2k + 1 no node is in its way.
    pub ways: Vec<Vec<(f64, f64)>>,
}

/// A place in a layer: a node, or an edge that passes.
struct Place {
    width: f64,
    /// Neighbours in the layer above and below.
    above: Vec<usize>,
    below: Vec<usize>,
    x: f64,
    /// The longest way to a node; what passes has none.
    depth: Option<usize>,
}

/// Lays out nodes of these sizes.
pub(crate) fn layout(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
    let (ranks, depths) = ranks(sizes.len(), edges);
    let depth = ranks.iter().max().map_or(0, |m| m + 1);
    let mut places: Vec<Place> = sizes
        .iter()
        .zip(&depths)
        .map(|((w, _), d)| Place { width: *w, above: vec![], below: vec![], x: 0.0, depth: Some(*d) })
        .collect();
    let mut layers: Vec<Vec<usize>> = vec![vec![]; depth];
    // The chain of places of each edge.
    let mut chains = Vec::with_capacity(edges.len());
    let mut passing_rank = Vec::new();
    for &(from, to) in edges {
        let (top, bottom, turned) = if ranks[from] <= ranks[to] { (from, to, false) } else { (to, from, true) };
        let mut chain = vec![top];
        for rank in ranks[top] + 1..ranks[bottom] {
            places.push(Place { width: PASSING, above: vec![], below: vec![], x: 0.0, depth: None });
            passing_rank.push(rank);
            chain.push(places.len() - 1);
        }
        chain.push(bottom);
        if top != bottom {
            for pair in chain.windows(2) {
                places[pair[0]].below.push(pair[1]);
                places[pair[1]].above.push(pair[0]);
            }
        }
        chains.push((chain, turned));
    }
    let rank_of = |p: usize| if p < ranks.len() { ranks[p] } else { passing_rank[p - ranks.len()] };
    for p in first_order(&places) {
        layers[rank_of(p)].push(p);
    }
    order(&mut layers, &places);
    positions(&layers, &mut places);
    finish(sizes, &layers, &places, &chains)
}

/// The layer of each node, and the longest way to it. An edge that closes a circle does not count.
fn ranks(n: usize, edges: &[(usize, usize)]) -> (Vec<usize>, Vec<usize>) {
    let mut after = vec![vec![]; n];
    let mut before = vec![vec![]; n];
    for &(from, to) in edges {
        if from != to {
            after[from].push(to);
            before[to].push(from);
        }
    }
    let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut waiting: std::collections::VecDeque<usize> = (0..n).filter(|&i| missing[i] == 0).collect();
    let (mut ranks, mut done, mut sequence) = (vec![0; n], vec![false; n], Vec::with_capacity(n));
    let mut lowest = 0;
    while sequence.len() < n {
        let node = match waiting.pop_front() {
            Some(node) if done[node] => continue,
            Some(node) => node,
            // Only circles are left: one of their nodes begins.
            None => {
                while done[lowest] {
                    lowest += 1;
                }
                lowest
            }
        };
        done[node] = true;
        sequence.push(node);
        for &next in &after[node] {
            if !done[next] {
                ranks[next] = ranks[next].max(ranks[node] + 1);
                missing[next] -= 1;
                if missing[next] == 0 {
                    waiting.push_back(next);
                }
            }
        }
    }
    let depths = ranks.clone();
    // What feeds only later layers goes down to them.
    for &node in sequence.iter().rev() {
        let next = after[node].iter().map(|&m| ranks[m]).filter(|&r| r > ranks[node]).min();
        if let Some(next) = next
            && before[node].len() <= after[node].len()
            && after[node].iter().all(|&m| ranks[m] > ranks[node])
        {
            ranks[node] = next - 1;
        }
    }
    (ranks, depths)
}

/// All places, those that hang together one after the other.
fn first_order(places: &[Place]) -> Vec<usize> {
    let (mut seen, mut found) = (vec![false; places.len()], Vec::with_capacity(places.len()));
    for start in 0..places.len() {
        let mut stack = vec![start];
        while let Some(p) = stack.pop() {
            if std::mem::replace(&mut seen[p], true) {
                continue;
            }
            found.push(p);
            stack.extend(places[p].below.iter().rev().chain(places[p].above.iter().rev()).filter(|q| !seen[**q]));
        }
    }
    found
}

fn order(layers: &mut [Vec<usize>], places: &[Place]) {
    let mut at = vec![0; places.len()];
    let place = |layer: &[usize], at: &mut [usize]| layer.iter().enumerate().for_each(|(i, p)| at[*p] = i);
    layers.iter().for_each(|l| place(l, &mut at));
    let mut best = (crossings(layers, places, &at), layers.to_vec());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let sequence: Vec<usize> =
            if down { (1..layers.len()).collect() } else { (0..layers.len()).rev().skip(1).collect() };
        for r in sequence {
            let center = |p: usize| {
                let near = if down { &places[p].above } else { &places[p].below };
                if near.is_empty() {
                    return at[p] as f64;
                }
                near.iter().map(|q| at[*q] as f64).sum::<f64>() / near.len() as f64
            };
            let mut keyed: Vec<(f64, usize)> = layers[r].iter().map(|&p| (center(p), p)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            layers[r] = keyed.into_iter().map(|(_, p)| p).collect();
            place(&layers[r], &mut at);
        }
        let now = crossings(layers, places, &at);
        if now < best.0 {
            best = (now, layers.to_vec());
        }
        if now == 0 {
            break;
        }
    }
    layers.clone_from_slice(&best.1);
}

/// How many pairs of edges between neighbouring layers cross.
fn crossings(layers: &[Vec<usize>], places: &[Place], at: &[usize]) -> usize {
    let mut count = 0;
    for (r, layer) in layers.iter().enumerate().skip(1) {
        // Inversions, by a tree of partial sums.
        let mut tree = vec![0usize; layers[r - 1].len() + 1];
        let mut total = 0;
        for p in layer {
            let mut ends: Vec<usize> = places[*p].above.iter().map(|q| at[*q]).collect();
            ends.sort_unstable();
            for &e in &ends {
                let (mut i, mut upto) = (e + 1, 0);
                while i > 0 {
                    upto += tree[i];
                    i &= i - 1;
                }
                count += total - upto;
            }
            for &e in &ends {
                let mut i = e + 1;
                while i < tree.len() {
                    tree[i] += 1;
                    i += i & i.wrapping_neg();
                }
                total += 1;
            }
        }
    }
    count
}

fn positions(layers: &[Vec<usize>], places: &mut [Place]) {
    for layer in layers {
        let mut x = 0.0;
        for &p in layer {
            places[p].x = x + places[p].width / 2.0;
            x += places[p].width + BESIDE;
        }
    }
    // The longest way begins as a straight line.
    let spine = spine(places);
    for layer in layers {
        if let Some(&p) = layer.iter().find(|p| spine.contains(p)) {
            let x = places[p].x;
            layer.iter().for_each(|&q| places[q].x -= x);
        }
    }
    for sweep in 0..2 * SWEEPS {
        let down = sweep % 2 == 0;
        let sequence: Vec<usize> = if down { (0..layers.len()).collect() } else { (0..layers.len()).rev().collect() };
        for r in sequence {
            let wish = |p: &usize| {
                let place = &places[*p];
                let near: Vec<&usize> = place.above.iter().chain(&place.below).collect();
                if near.is_empty() {
                    return (place.x, 0.1);
                }
                // Long edges are kept straight before all else, then the longest ways.
                let weigh = |q: &&usize| match (place.depth, places[**q].depth) {
                    (None, None) => 50.0,
                    (Some(a), Some(b)) if a.abs_diff(b) == 1 => 40.0,
                    (Some(_), Some(_)) => 1.0,
                    _ => 2.0,
                };
                let weight: f64 = near.iter().map(weigh).sum();
                (near.iter().map(|q| weigh(q) * places[**q].x).sum::<f64>() / weight, weight)
            };
            let wishes: Vec<(f64, f64)> = layers[r].iter().map(wish).collect();
            let widths: Vec<f64> = layers[r].iter().map(|p| places[*p].width).collect();
            for (p, x) in layers[r].iter().zip(apart(&wishes, &widths)) {
                places[*p].x = x;
            }
        }
    }
}

/// The nodes of a longest way.
fn spine(places: &[Place]) -> std::collections::HashSet<usize> {
    let mut at = (0..places.len()).max_by_key(|&p| places[p].depth);
    let mut found = std::collections::HashSet::new();
    while let Some(p) = at {
        found.insert(p);
        let before = places[p].depth.and_then(|d| d.checked_sub(1));
        at = places[p].above.iter().copied().find(|&q| before.is_some() && places[q].depth == before);
    }
    found
}

/// The centres nearest to the wishes (by weighted squares) at which boxes of these widths stand in this order, [`BESIDE`] apart.
fn apart(wishes: &[(f64, f64)], widths: &[f64]) -> Vec<f64> {
    // Measured from where they would stand closest, the places must not decrease.
    let mut closest = Vec::with_capacity(widths.len());
    let mut x = 0.0;
    for w in widths {
        closest.push(x + w / 2.0);
        x += w + BESIDE;
    }
    // Blocks that move together: sum of weighted wishes, weight, length.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((wish, weight), c) in wishes.iter().zip(&closest) {
        blocks.push(((wish - c) * weight, *weight, 1));
        while let [.., a, b] = &blocks[..]
            && a.0 / a.1 > b.0 / b.1
        {
            let joined = (a.0 + b.0, a.1 + b.1, a.2 + b.2);
            blocks.truncate(blocks.len() - 2);
            blocks.push(joined);
        }
    }
    let shifts = blocks.into_iter().flat_map(|(sum, weight, n)| std::iter::repeat_n(sum / weight, n));
    shifts.zip(closest).map(|(s, c)| s + c).collect()
}

fn finish(sizes: &[(f64, f64)], layers: &[Vec<usize>], places: &[Place], chains: &[(Vec<usize>, bool)]) -> Layout {
    let left = places.iter().map(|p| p.x - p.width / 2.0).fold(f64::MAX, f64::min);
    let right = places.iter().map(|p| p.x + p.width / 2.0).fold(f64::MIN, f64::max);
    let mut bands = Vec::with_capacity(layers.len());
    let mut y = 0.0;
    for layer in layers {
        let height = layer.iter().filter(|p| **p < sizes.len()).map(|p| sizes[*p].1).fold(0.0, f64::max);
        bands.push((y, y + height));
        y += height + BETWEEN;
    }
    let mut band_of = vec![(0.0, 0.0); places.len()];
    for (layer, band) in layers.iter().zip(&bands) {
        layer.iter().for_each(|p| band_of[*p] = *band);
    }
    let x = |p: usize| places[p].x - left;
    let centers: Vec<(f64, f64)> = (0..sizes.len()).map(|p| (x(p), (band_of[p].0 + band_of[p].1) / 2.0)).collect();
    // Where edges leave and enter a node: side by side, in the order of their other ends.
    let mut leaving: Vec<Vec<(f64, usize)>> = vec![vec![]; sizes.len()];
    let mut entering = leaving.clone();
    for (i, (c, _)) in chains.iter().enumerate().filter(|(_, (c, _))| c[0] != c[c.len() - 1]) {
        leaving[c[0]].push((places[c[1]].x, i));
        entering[c[c.len() - 1]].push((places[c[c.len() - 2]].x, i));
    }
    let mut ports = vec![(0.0, 0.0); chains.len()];
    for p in 0..sizes.len() {
        for (ends, out) in [(&mut leaving[p], true), (&mut entering[p], false)] {
            ends.sort_by(|a, b| a.0.total_cmp(&b.0));
            let spread = (sizes[p].0 * 0.6 / ends.len().max(1) as f64).min(12.0);
            for (at, (_, i)) in ends.iter().enumerate() {
                let port = x(p) + (at as f64 - (ends.len() - 1) as f64 / 2.0) * spread;
                if out { ports[*i].0 = port } else { ports[*i].1 = port }
            }
        }
    }
    let ways = chains
        .iter()
        .enumerate()
        .map(|(i, (chain, turned))| {
            let (first, last) = (chain[0], chain[chain.len() - 1]);
            if first == last {
                return vec![];
            }
            let (from, to) = ports[i];
            let mut way = vec![(from, centers[first].1 + sizes[first].1 / 2.0), (from, band_of[first].1)];
            for &p in &chain[1..chain.len() - 1] {
                way.extend([(x(p), band_of[p].0), (x(p), band_of[p].1)]);
            }
            way.extend([(to, band_of[last].0), (to, centers[last].1 - sizes[last].1 / 2.0)]);
            if *turned {
                way.reverse();
            }
            way
        })
        .collect();
    Layout { width: (right - left).max(0.0), height: (y - BETWEEN).max(0.0), centers, ways }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed row of numbers that look random.
    fn numbers() -> impl FnMut(usize) -> usize {
        let mut state = 12345u64;
        move |n| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % n
        }
    }

    fn check(sizes: &[(f64, f64)], edges: &[(usize, usize)]) {
        let l = layout(sizes, edges);
        for (i, (a, s)) in l.centers.iter().zip(sizes).enumerate() {
            assert!(a.0 - s.0 / 2.0 >= -1e-6 && a.0 + s.0 / 2.0 <= l.width + 1e-6, "{i} sticks out");
            assert!(a.1 - s.1 / 2.0 >= -1e-6 && a.1 + s.1 / 2.0 <= l.height + 1e-6, "{i} sticks out");
            for (b, t) in l.centers.iter().zip(sizes).skip(i + 1) {
                let beside = (a.0 - b.0).abs() >= (s.0 + t.0) / 2.0 + BESIDE - 1e-6;
                let apart = (a.1 - b.1).abs() >= (s.1 + t.1) / 2.0 + BETWEEN / 2.0;
                assert!(beside || apart, "{a:?} and {b:?} overlap");
            }
        }
        for (way, (from, to)) in l.ways.iter().zip(edges) {
            if from == to {
                continue;
            }
            // In the vertical parts no node is in the way.
            for part in way.chunks(2) {
                for (n, (c, s)) in l.centers.iter().zip(sizes).enumerate().filter(|(n, _)| n != from && n != to) {
                    let (low, high) = (part[0].1.min(part[1].1), part[0].1.max(part[1].1));
                    let meets = (part[0].0 - c.0).abs() < s.0 / 2.0 && low < c.1 + s.1 / 2.0 && high > c.1 - s.1 / 2.0;
                    assert!(!meets, "the edge from {from} to {to} runs through {n}");
                }
            }
        }
    }

    #[test]
    fn nothing_overlaps_in_random_graphs() {
        let mut next = numbers();
        for n in [1, 2, 3, 8, 20, 60] {
            for density in [1, 2, 3] {
                let sizes: Vec<(f64, f64)> =
                    (0..n).map(|_| (20.0 + next(150) as f64, 20.0 + next(40) as f64)).collect();
                let edges: Vec<(usize, usize)> = (0..n * density)
                    .map(|_| (next(n), next(n)))
                    .filter(|(a, b)| a != b)
                    .map(|(a, b)| (a.min(b), a.max(b)))
                    .collect();
                check(&sizes, &edges);
            }
        }
    }

    #[test]
    fn circles_and_loops_come_to_an_end() {
        check(&[(10.0, 10.0); 4], &[(0, 1), (1, 2), (2, 0), (3, 3), (2, 3)]);
    }

    #[test]
    fn a_chain_is_straight_and_its_inputs_stand_beside_it() {
        // 0 -> 1 -> 2 -> 3, and 4 -> 3.
        let l = layout(&[(40.0, 20.0); 5], &[(0, 1), (1, 2), (2, 3), (4, 3)]);
        assert!((l.centers[0].0 - l.centers[2].0).abs() < 1.0);
        assert_eq!(l.centers[4].1, l.centers[2].1);
        assert_eq!(layout(&[], &[]).height, 0.0);
    }

    #[test]
    fn a_crossing_that_need_not_be_is_undone() {
        let l = layout(&[(40.0, 20.0); 4], &[(0, 3), (1, 2)]);
        assert_eq!(l.centers[0].0 < l.centers[1].0, l.centers[3].0 < l.centers[2].0);
    }

    #[test]
    fn a_long_graph_is_laid_out_in_time() {
        let n = 4000;
        let edges: Vec<(usize, usize)> = (1..n).map(|i| (i - 1, i)).chain((3..n).map(|i| (i - 3, i))).collect();
        assert!(layout(&vec![(60.0, 20.0); n], &edges).height > 100_000.0);
    }
}
