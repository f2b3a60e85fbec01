//! Saved states and edges of the random streams.

use cresset_kernels::rng::{DEFAULT_SEED, GeneratorState, STATE_SIZE, StateError, topk_descending};

#[test]
fn known_words_and_numbers() {
    let mut g = GeneratorState::new(0);
    assert_eq!([g.r32(), g.r32(), g.r32()], [2_357_136_044, 2_546_248_239, 3_071_714_933]);
    g.manual_seed(0);
    assert_eq!(g.r64(), 10_123_822_223_749_065_263);
    let mut p = [0i64; 10];
    g.manual_seed(42);
    g.randperm(&mut p);
    assert_eq!(p, [2, 6, 1, 8, 4, 5, 0, 9, 3, 7]);
    g.manual_seed(0);
    let mut x = [0f32; 3];
    g.normal(&mut x, 0.0, 1.0, true);
    assert_eq!(x, [1.540_996_1, -0.293_428_9, -2.178_789_4]);
}

#[test]
fn a_state_continues_where_it_was_taken() {
    for words in [0, 1, 5, 311, 312, 623, 624, 625, 1248] {
        let mut g = GeneratorState::new(5);
        for _ in 0..words {
            g.r32();
        }
        g.normal(&mut [0f32; 3], 0.0, 1.0, true);
        let state = g.get_state();
        let mut other = GeneratorState::new(77);
        other.set_state(&state).unwrap();
        assert_eq!(other.get_state(), state);
        let (mut a, mut b) = ([0f64; 700], [0f64; 700]);
        g.normal(&mut a, 0.0, 1.0, false);
        other.normal(&mut b, 0.0, 1.0, false);
        assert_eq!(a, b);
        assert_eq!(other.initial_seed(), 5);
    }
}

#[test]
fn one_word_at_a_time_is_the_bulk() {
    let (mut g, mut h) = (GeneratorState::new(8), GeneratorState::new(8));
    for n in [1, 3, 700, 622, 1, 1300, 5] {
        g.r32();
        h.r32();
        let mut x = vec![0f64; n];
        g.uniform(&mut x, 0.0, 1.0);
        assert!(x.iter().all(|&x| x == h.u53()));
        let mut x = vec![0f32; n];
        g.uniform(&mut x, 0.0, 1.0);
        assert!(x.iter().all(|&x| x == h.u24()));
        assert_eq!(g.get_state(), h.get_state());
    }
}

#[test]
fn what_is_no_state_is_refused_and_changes_nothing() {
    let mut g = GeneratorState::new(3);
    g.r32();
    let good = g.get_state();
    let refused = |at: usize, value: u8| {
        let mut state = good;
        state[at..at + 4].copy_from_slice(&[value, value, value, 0]);
        GeneratorState::default().set_state(&state)
    };
    assert_eq!(refused(8, 0), Err(StateError::Engine));
    assert_eq!(refused(8, 255), Err(StateError::Engine));
    assert_eq!(refused(12, 0), Err(StateError::Engine));
    assert_eq!(refused(16, 255), Err(StateError::Engine));
    assert_eq!(StateError::Engine.to_string(), "Invalid mt19937 state");
    let error = g.set_state(&good[1..]).unwrap_err();
    let sentence = "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 5055";
    assert_eq!(error.to_string(), sentence);
    assert_eq!(g.get_state(), good);
    // A position that no engine reaches, but that PyTorch's check lets pass.
    let mut odd = good;
    odd[8..12].copy_from_slice(&600i32.to_le_bytes());
    odd[16..18].copy_from_slice(&624u16.to_le_bytes());
    g.set_state(&odd).unwrap();
    g.uniform(&mut [0f64; 1000], 0.0, 1.0);
}

#[test]
fn a_flag_of_a_pending_f32_is_kept() {
    let mut state = GeneratorState::new(3).get_state();
    state[5048..5052].copy_from_slice(&1.5f32.to_le_bytes());
    state[5052] = 1;
    let mut g = GeneratorState::default();
    g.set_state(&state).unwrap();
    assert_eq!(g.get_state(), state);
    assert_eq!(state.len(), STATE_SIZE);
}

#[test]
fn nothing_drawn_for_nothing() {
    let mut g = GeneratorState::default();
    let before = g.get_state();
    g.uniform::<f32>(&mut [], 0.0, 1.0);
    g.normal::<f64>(&mut [], 0.0, 1.0, true);
    g.bernoulli::<bool>(&mut [], 0.5);
    g.randperm::<i64>(&mut []);
    g.randperm(&mut [0i64]);
    g.dropout(&[1f32, 2.0], 0.0, &mut [0.0; 2], &mut [0; 2]);
    g.dropout(&[1f32, 2.0], 1.0, &mut [0.0; 2], &mut [0; 2]);
    g.rrelu_slopes(&[1f32, f32::NAN], 0.1, 0.2, &mut [0.0; 2]);
    assert_eq!(g.get_state(), before);
    assert_eq!(g.initial_seed(), DEFAULT_SEED);
}

#[test]
fn seeds_nobody_can_foresee_differ() {
    let mut g = GeneratorState::default();
    let (a, b) = (g.seed(), g.seed());
    assert_ne!(a, b);
    assert_eq!(g.initial_seed(), b);
    let mut h = GeneratorState::new(b);
    assert_eq!(g.r64(), h.r64());
}

#[test]
fn without_ties_topk_is_the_sorted_order() {
    let mut g = GeneratorState::new(4);
    for n in [1usize, 2, 3, 4, 5, 17, 64, 100, 1000] {
        let mut values = vec![0f64; n];
        g.uniform(&mut values, -1.0, 1.0);
        if n > 4 {
            values[n / 2] = f64::NAN;
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| {
            values[b].partial_cmp(&values[a]).unwrap_or_else(|| values[b].is_nan().cmp(&values[a].is_nan()))
        });
        for k in [1, 2, 3, n / 70, n / 2, n - 1, n] {
            if (1..=n).contains(&k) {
                assert_eq!(topk_descending(&values, k), order[..k], "{k} of {n}");
            }
        }
    }
}
