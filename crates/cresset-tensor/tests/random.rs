//! Random streams at the tensor level: known first numbers of PyTorch 2.15, memory order, states.

use cresset_tensor::{DType, Generator, Tensor, attempt, fork_rng, get_rng_state, manual_seed, set_rng_state};
use std::sync::Mutex;

/// The default generator is one for the process: tests that use it take turns.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn first_numbers_of_seed_0() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    manual_seed(0);
    assert_eq!(Tensor::rand([2]).to_vec::<f32>(), [0.496_256_6, 0.768_221_8]);
    manual_seed(0);
    assert_eq!(Tensor::randn([3]).to_vec::<f32>(), [1.540_996_1, -0.293_428_9, -2.178_789_4]);
    manual_seed(0);
    assert_eq!(Tensor::randn([16]).to_vec::<f32>()[..3], [-1.125_839_8, -1.152_360_2, -0.250_578_58]);
    manual_seed(0);
    assert_eq!(Tensor::randperm(10).to_vec::<i64>(), [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]);
}

#[test]
fn states_come_back() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    manual_seed(7);
    let _ = Tensor::randn([3]);
    let state = get_rng_state();
    assert_eq!(state.numel(), 5056);
    let a = Tensor::randn([5]).to_vec::<f32>();
    fork_rng(|| Tensor::rand([100]));
    set_rng_state(&state);
    assert_eq!(a, Tensor::randn([5]).to_vec::<f32>());
    assert!(attempt(|| set_rng_state(&Tensor::zeros_of([10], DType::U8))).is_err());
}

#[test]
fn generators_are_their_own_streams() {
    let (a, b) = (Generator::with_seed(3), Generator::with_seed(3));
    let x = Tensor::rand_with([4], DType::F64, Some(&a)).to_vec::<f64>();
    assert_eq!(x, Tensor::rand_with([4], DType::F64, Some(&b)).to_vec::<f64>());
    assert_eq!(Generator::with_seed(-1i64).initial_seed(), u64::MAX);
    assert_eq!(Generator::new().initial_seed(), 67_280_421_310_721);
    assert!(attempt(|| Generator::with_seed(1i128 << 64)).is_err());
}
