//! Promise: the bits of a result do not depend on the number of threads.

use cresset::set_num_threads;
use cresset_bench::workload::Setup;

/// The bits of what three steps of every dense network give (each step depends on all parameters that the one before changed), with 1, 2 and 3
/// threads.
#[test]
fn networks_give_the_same_bits_on_any_number_of_threads() {
    let setup = Setup { mnist_dir: None, check: true };
    let mut networks = 0;
    for workload in cresset_bench::dense::workloads() {
        let run = |threads: usize| -> Option<Vec<Vec<u32>>> {
            set_num_threads(threads);
            let mut step = workload.prepare(&setup).ok()?;
            Some((0..3).map(|_| step().to_vec::<f32>().iter().map(|x| x.to_bits()).collect()).collect())
        };
        // What needs files is left out.
        let Some(one) = run(1) else { continue };
        networks += 1;
        assert!(one.iter().flatten().all(|x| f32::from_bits(*x).is_finite()), "{}", workload.name);
        for threads in [2, 3] {
            assert!(run(threads).as_ref() == Some(&one), "{} with {threads} threads", workload.name);
        }
    }
    set_num_threads(0);
    assert!(networks >= 16, "{networks} networks");
}
