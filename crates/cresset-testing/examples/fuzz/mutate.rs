//! Changing inputs.

/// A small generator of its own: the same seed gives the same inputs on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
    fn small(&mut self) -> usize {
        let most = [4, 16, 64, 256][self.next(4)];
        1 + self.next(most)
    }
}

const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    i64::MAX as u64,
    u64::MAX,
];

/// One to a handful of changes; `other` is an input to take pieces of.
pub fn mutate(data: &mut Vec<u8>, other: &[u8], words: &[&[u8]], most: usize, random: &mut Random) {
    let rounds = 1 + [0, 0, 1, 2, 4, 8][random.next(6)];
    for _ in 0..rounds {
        let at = random.next(data.len() + 1);
        let last = data.len().saturating_sub(1);
        match random.next(13) {
            0 if !data.is_empty() => data[at.min(last)] ^= 1 << random.next(8),
            1 if !data.is_empty() => data[at.min(last)] = random.next(256) as u8,
            2 if !data.is_empty() => {
                let b = &mut data[at.min(last)];
                *b = b.wrapping_add([1, 255][random.next(2)]);
            }
            3 => {
                let end = (at + random.small()).min(data.len());
                data.drain(at..end);
            }
            4 => {
                let end = (at + random.small()).min(data.len());
                let piece = data[at..end].to_vec();
                let to = random.next(data.len() + 1);
                data.splice(to..to, piece);
            }
            5 | 6 => {
                let word = words[random.next(words.len())];
                data.splice(at..at, word.iter().copied());
            }
            7 => {
                let word = words[random.next(words.len())];
                let end = (at + word.len()).min(data.len());
                data.splice(at..end, word.iter().copied());
            }
            8 if !other.is_empty() => {
                let from = random.next(other.len());
                let piece = &other[from..(from + random.small()).min(other.len())];
                let end = if random.next(2) == 0 { at } else { (at + piece.len()).min(data.len()) };
                data.splice(at..end, piece.iter().copied());
            }
            9 => {
                // A number of 1 to 8 bytes, in either order.
                let width = [1, 2, 4, 8][random.next(4)];
                if at + width <= data.len() {
                    let mut bytes = NUMBERS[random.next(NUMBERS.len())].to_le_bytes();
                    if random.next(4) == 0 {
                        bytes[..width].reverse();
                    }
                    data[at..at + width].copy_from_slice(&bytes[..width]);
                }
            }
            10 => {
                // A little more or less.
                let width = [1, 2, 4, 8][random.next(4)];
                if let Some(place) = data.get_mut(at..at + width) {
                    let mut bytes = [0; 8];
                    bytes[..width].copy_from_slice(place);
                    let delta = random.next(33) as u64;
                    let n = u64::from_le_bytes(bytes).wrapping_add(delta).wrapping_sub(16);
                    place.copy_from_slice(&n.to_le_bytes()[..width]);
                }
            }
            11 => {
                // A number in digits.
                if let Some(from) = data[at..].iter().position(u8::is_ascii_digit).map(|p| at + p) {
                    let digits = data[from..].iter().take_while(|b| b.is_ascii_digit()).count();
                    let n = NUMBERS[random.next(NUMBERS.len())].to_string();
                    data.splice(from..from + digits, n.bytes());
                }
            }
            _ if random.next(4) == 0 => data.truncate(at),
            _ => {}
        }
    }
    data.truncate(most);
}
