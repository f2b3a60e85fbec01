//! The engine: MT19937 (Matsumoto and Nishimura 1998), refilled and tempered a block at a time.

mod turn;

/// Words in the state, and in a block.
pub(super) const WORDS: usize = 624;

/// The 32-bit Mersenne Twister with the bookkeeping of PyTorch's engine.
///
/// Beside the state stands the whole block already tempered, so that bulk fills read words straight out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mt19937 {
    state: [u32; WORDS],
    tempered: [u32; WORDS],
    left: u32,
    next: u32,
}

impl Mt19937 {
    /// The engine after seeding. The stream depends on all 32 bits of `seed`.
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; WORDS];
        for j in 1..WORDS {
            let last = state[j - 1];
            state[j] = 1_812_433_253u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(j as u32);
        }
        Mt19937 { state, tempered: [0; WORDS], left: 1, next: 0 }
    }

    /// The engine at a saved position; `None` if it is none that an engine can have.
    pub(super) fn restore(state: [u32; WORDS], left: i32, next: u32) -> Option<Self> {
        if !(1..=WORDS as i32).contains(&left) || next > WORDS as u32 {
            return None;
        }
        let mut engine = Mt19937 { state, tempered: [0; WORDS], left: left as u32, next };
        engine.tempered = engine.state.map(turn::temper);
        Some(engine)
    }

    /// State words, words left before the refill (plus one), index of the next word.
    pub(super) fn position(&self) -> (&[u32; WORDS], i32, u32) {
        (&self.state, self.left as i32, self.next)
    }

    /// Words that can be read before the next refill.
    #[inline(always)]
    fn available(&self) -> usize {
        // A saved position may be inconsistent; never read past the block.
        ((self.left - 1) as usize).min(WORDS - self.next as usize)
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        turn::refill(&mut self.state, &mut self.tempered);
        // One more than the engine's own count: the draw that asked for the refill takes it back.
        self.left = WORDS as u32 + 1;
        self.next = 0;
    }

    /// The next words of the block, at least one and at most `most`.
    #[inline]
    fn take(&mut self, most: usize) -> &[u32] {
        if self.available() == 0 {
            self.refill();
        }
        let count = most.min(self.available());
        let start = self.next as usize;
        self.next += count as u32;
        self.left -= count as u32;
        &self.tempered[start..start + count]
    }

    /// The next 32 bits.
    #[inline]
    pub fn r32(&mut self) -> u32 {
        self.take(1)[0]
    }

    /// The next 64 bits: the first word is the high one.
    #[inline]
    pub fn r64(&mut self) -> u64 {
        let high = u64::from(self.r32());
        high << 32 | u64::from(self.r32())
    }

    /// Draws `count` words and hands them to `each` in runs, with the index of a run's first word.
    #[inline]
    pub(super) fn words(&mut self, count: usize, mut each: impl FnMut(usize, &[u32])) {
        let mut at = 0;
        while at < count {
            let run = self.take(count - at);
            each(at, run);
            at += run.len();
        }
    }

    /// Draws `count` pairs of words and hands them to `each` in runs, with the index of a run's first pair.
    #[inline]
    pub(super) fn pairs(&mut self, count: usize, mut each: impl FnMut(usize, &[u32])) {
        let mut at = 0;
        while at < count {
            match self.available() {
                1 => {
                    let pair = [self.r32(), self.r32()];
                    each(at, &pair);
                    at += 1;
                }
                available => {
                    let whole = if available == 0 { WORDS } else { available & !1 };
                    let run = self.take((2 * (count - at)).min(whole));
                    each(at, run);
                    at += run.len() / 2;
                }
            }
        }
    }
}
