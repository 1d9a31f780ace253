//! Against PyTorch 2.15: the same layers with parameters sin(i) / 2, packets cos(i) and columns sin(2i), in single precision.
//!
//! Loss: `(F.cross_entropy(logits, [2, 0], reduction="none") * [1.0, 0.5]).sum()`.

use super::*;
use crate::net::cnn::Cnn;
use crate::net::device::Device;
use crate::net::mlp::Mlp;

fn series(count: usize, value: impl Fn(f64) -> f64) -> Vec<f32> {
    (0..count).map(|at| value(at as f64) as f32).collect()
}

fn network(architecture: &Architecture) -> Parameters {
    let mut parameters = Parameters::drawn(architecture.slices(), 0);
    let count = parameters.values().len();
    parameters.values_mut().copy_from_slice(&series(count, |at| at.sin() / 2.0));
    parameters
}

fn cnn() -> (Architecture, Batch) {
    let (channels, length, scalars) = (2, 9, 3);
    let architecture = Architecture::Cnn(Cnn {
        channels,
        length,
        scalars,
        width: 4,
        blocks: 2,
        hidden: vec![5],
        classes: 3,
    });
    let packets = series(2 * channels * length, f64::cos);
    let scalars = series(2 * scalars, |at| (2.0 * at).sin());
    (architecture, Batch { rows: 2, channels, length, packets, scalars })
}

fn mlp() -> (Architecture, Batch) {
    let architecture = Architecture::Mlp(Mlp { inputs: 3, hidden: vec![5, 4], classes: 3 });
    let scalars = series(6, |at| (2.0 * at).sin());
    (architecture, Batch { rows: 2, scalars, ..Batch::default() })
}

const TRUTH: [(u32, f32); 2] = [(2, 1.0), (0, 0.5)];

struct Expected {
    logits: [f32; 6],
    loss: f64,
    parameters: usize,
    /// Some places of the gradient, and its norm.
    gradient: &'static [(usize, f32)],
    norm: f32,
}

fn close(found: f32, expected: f32) -> bool {
    (found - expected).abs() <= 2e-5 * expected.abs().max(1.0)
}

fn check((architecture, batch): (Architecture, Batch), expected: &Expected) {
    let parameters = network(&architecture);
    assert_eq!(parameters.values().len(), expected.parameters);
    let said = logits(&architecture, &parameters, batch.clone());
    assert!(said.iter().zip(expected.logits).all(|(a, b)| close(*a, b)), "{said:?}");
    for device in [Device::Cpu, Device::Gpu] {
        match device.open() {
            Ok(backend) => {
                let found = slope(
                    &backend,
                    &architecture,
                    &parameters,
                    batch.clone(),
                    &TRUTH,
                    Dropout::Off,
                );
                check_slope(&found, expected);
            }
            Err(why) => eprintln!("skipped: {why}"),
        }
    }
}

fn check_slope(found: &Slope, expected: &Expected) {
    assert!((found.loss - expected.loss).abs() < 1e-5, "{}", found.loss);
    for &(place, value) in expected.gradient {
        let got = found.gradient[place];
        assert!(close(got, value), "place {place}: {got}, expected {value}");
    }
    let norm = found.gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
    assert!(close(norm, expected.norm), "{norm}");
}

#[test]
fn convolutions_answer_and_learn_as_in_pytorch() {
    check(
        cnn(),
        &Expected {
            logits: [
                -0.149_198_17,
                -0.416_257_8,
                -0.300_611_85,
                -0.225_083_19,
                -0.470_858_9,
                -0.283_729_08,
            ],
            loss: 1.617_799_64,
            parameters: 390,
            gradient: &[
                (0, -0.056_593_645),
                (7, -0.189_635_5),
                (41, -0.235_234_47),
                (60, 0.0),
                (150, -0.010_695_998),
                (170, 0.211_554_04),
                (200, 0.002_057_956),
                (240, -0.017_999_034),
                (389, -0.499_563_16),
            ],
            norm: 2.398_828,
        },
    );
}

#[test]
fn full_layers_answer_and_learn_as_in_pytorch() {
    check(
        mlp(),
        &Expected {
            logits: [
                -0.257_499_3,
                0.375_563_44,
                0.663_334_9,
                -0.257_983_12,
                0.352_307_9,
                0.638_688_6,
            ],
            loss: 1.597_728_61,
            parameters: 59,
            gradient: &[
                (0, 0.0),
                (5, -0.037_697_3),
                (14, 0.047_165_84),
                (20, -0.008_630_65),
                (45, 0.184_095_32),
                (58, -0.302_877_34),
            ],
            norm: 0.707_543_55,
        },
    );
}

#[test]
fn a_row_s_answer_does_not_depend_on_its_neighbours() {
    let (architecture, batch) = cnn();
    let parameters = network(&architecture);
    let together = logits(&architecture, &parameters, batch.clone());
    let of_second = batch.packets.chunks_exact(batch.channels).skip(1).step_by(2);
    let second = Batch {
        rows: 1,
        packets: of_second.flatten().copied().collect(),
        scalars: batch.scalars[3..].to_vec(),
        ..batch
    };
    let alone = logits(&architecture, &parameters, second);
    assert!(alone.iter().zip(&together[3..]).all(|(a, b)| close(*a, *b)));
}

#[test]
fn dropout_leaves_out_its_share_and_keeps_the_mean() {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    let device = Backend::flex();
    let ones =
        || Tensor::<2>::from_data(TensorData::new(vec![1.0_f32; 40_000], [200, 200]), &device);
    let mut dropout = Dropout::On { share: 0.2, rng: Box::new(ChaCha8Rng::seed_from_u64(3)) };
    let kept = numbers(dropout.apply(ones()));
    let gone = kept.iter().filter(|value| **value == 0.0).count();
    // 8,000 of 40,000, give or take five standard deviations of 80.
    assert!((7_600..=8_400).contains(&gone), "{gone}");
    assert!(kept.iter().all(|value| *value == 0.0 || *value == 1.25));
    assert!(numbers(Dropout::Off.apply(ones())).iter().all(|value| *value == 1.0));
}
