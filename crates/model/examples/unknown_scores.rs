//! Which score tells a class that was never learnt from those that were? Each class of a table is left out in turn.
//!
//! `unknown_scores TABLE LABEL [GROUP]` prints, for each score, the mean over classes of the area under the ROC curve and of the share
//! of strangers found at 5 % false alarms.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::needless_range_loop)]

use std::path::Path;

use flowgait_features::split::{group_folds, random_folds};
use flowgait_features::table::{self, ReadParams};
use flowgait_model::metrics::unknown_score;
use flowgait_model::recipe::{EstimatorKind, Recipe};
use flowgait_model::{Probabilities, Training};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let group = arguments.get(3).cloned();
    let params = ReadParams {
        label: Some(arguments[2].clone()),
        groups: group.iter().cloned().collect(),
        ..ReadParams::default()
    };
    let (data, _) = table::read(&[Path::new(&arguments[1])], &params).unwrap();
    let labels = data.labels.as_ref().unwrap();
    let classes = labels.values.len();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let folds = match group.and_then(|name| data.groups.iter().find(|g| g.name == name)) {
        Some(groups) => group_folds(&groups.codes, Some(&labels.codes), 3, &mut rng).unwrap(),
        None => random_folds(data.rows, Some(&labels.codes), 3, &mut rng).unwrap(),
    };
    let fold = &folds[0];
    let mut sums: Vec<(&str, f64, f64, usize)> = Vec::new();
    for left_out in 0..classes as u32 {
        let known: Vec<u32> =
            fold.train.iter().copied().filter(|r| labels.codes[*r as usize] != left_out).collect();
        let (strange, usual): (Vec<u32>, Vec<u32>) =
            fold.test.iter().partition(|r| labels.codes[**r as usize] == left_out);
        if strange.len() < 10 || usual.len() < 10 {
            continue;
        }
        let thin = |rows: Vec<u32>| -> Vec<u32> {
            let stride = rows.len().div_ceil(1_500);
            rows.into_iter().step_by(stride).collect()
        };
        let (strange, usual) = (thin(strange), thin(usual));
        let codes = &labels.codes;
        let training =
            Training { columns: &data.columns, rows: &known, codes, classes, class_weights: None };
        let mut add = |name: &'static str, of: &dyn Fn(&[u32]) -> Vec<f64>| {
            let score = unknown_score(&of(&usual), &of(&strange), 0.05).unwrap();
            let at = sums.iter().position(|s| s.0 == name).unwrap_or_else(|| {
                sums.push((name, 0.0, 0.0, 0));
                sums.len() - 1
            });
            sums[at].1 += score.auroc;
            sums[at].2 += score.found;
            sums[at].3 += 1;
        };
        let top = |said: &Probabilities, row: usize| {
            let mut row = said.row(row).to_vec();
            row.sort_by(|a, b| b.total_cmp(a));
            row
        };
        for (kind, names) in [
            (
                EstimatorKind::Forest,
                ["forest: maximum probability", "forest: lead over the next", "forest: entropy"],
            ),
            (
                EstimatorKind::ExtraTrees,
                ["extra-trees: maximum probability", "extra-trees: lead", "extra-trees: entropy"],
            ),
            (
                EstimatorKind::Boost,
                ["boosting: maximum probability", "boosting: lead", "boosting: entropy"],
            ),
        ] {
            let recipe = Recipe { trees: 100, ..Recipe::new(kind) };
            let fitted = recipe.fit(&data.schema, &training, 1, &|| {}).unwrap();
            let say = |rows: &[u32]| fitted.predict_proba(&data.columns, rows).unwrap();
            add(names[0], &|rows| {
                let said = say(rows);
                (0..rows.len()).map(|at| f64::from(top(&said, at)[0])).collect()
            });
            add(names[1], &|rows| {
                let said = say(rows);
                (0..rows.len()).map(|at| f64::from(top(&said, at)[0] - top(&said, at)[1])).collect()
            });
            add(names[2], &|rows| {
                let said = say(rows);
                let entropy = |at: usize| -> f64 {
                    said.row(at)
                        .iter()
                        .map(|p| f64::from(*p))
                        .filter(|p| *p > 0.0)
                        .map(|p| p * p.ln())
                        .sum()
                };
                (0..rows.len()).map(entropy).collect()
            });
            if let flowgait_model::Estimator::Boost(boost) = &fitted {
                add("boosting: energy", &|rows| {
                    let margins = boost.margins(&data.columns, rows).unwrap();
                    margins
                        .chunks_exact(classes)
                        .map(|m| m.iter().map(|v| f64::from(*v).exp()).sum::<f64>().ln())
                        .collect()
                });
            }
        }
        let space = Space::new(&data.columns, &known);
        let points = space.points(&data.columns, &known);
        for (name, k) in [("nearest row", 1), ("fifth nearest row", 5)] {
            add(name, &|rows| {
                space.points(&data.columns, rows).iter().map(|p| -nearest(&points, p, k)).collect()
            });
        }
        let gauss = Gauss::new(
            &points,
            &known.iter().map(|r| codes[*r as usize]).collect::<Vec<_>>(),
            classes,
        );
        add("Mahalanobis to the nearest class", &|rows| {
            space.points(&data.columns, rows).iter().map(|p| -gauss.class(p)).collect()
        });
        add("Mahalanobis, nearest class less the whole", &|rows| {
            space
                .points(&data.columns, rows)
                .iter()
                .map(|p| -(gauss.class(p) - gauss.whole(p)))
                .collect()
        });
    }
    println!("{:<44} {:>6} {:>10}", "score", "AUROC", "found at 5 %");
    for (name, auroc, found, n) in sums {
        println!("{name:<44} {:>6.3} {:>10.3}", auroc / n as f64, found / n as f64);
    }
}

/// Columns by their ranks among training rows; a missing value is its own column.
struct Space(Vec<Vec<f32>>);

impl Space {
    fn new(columns: &[Vec<f32>], rows: &[u32]) -> Self {
        Self(
            columns
                .iter()
                .map(|c| {
                    let mut v: Vec<f32> =
                        rows.iter().map(|r| c[*r as usize]).filter(|v| !v.is_nan()).collect();
                    v.sort_by(f32::total_cmp);
                    v
                })
                .collect(),
        )
    }
    fn points(&self, columns: &[Vec<f32>], rows: &[u32]) -> Vec<Vec<f32>> {
        rows.iter()
            .map(|r| {
                columns
                    .iter()
                    .zip(&self.0)
                    .flat_map(|(c, sorted)| {
                        let v = c[*r as usize];
                        if v.is_nan() {
                            return [0.5, 1.0];
                        }
                        let below = sorted.partition_point(|x| *x < v);
                        let upto = sorted.partition_point(|x| *x <= v);
                        [(below + upto) as f32 / 2.0 / sorted.len().max(1) as f32, 0.0]
                    })
                    .collect()
            })
            .collect()
    }
}

fn nearest(points: &[Vec<f32>], p: &[f32], k: usize) -> f64 {
    let mut d: Vec<f32> = points
        .iter()
        .map(|q| p.iter().zip(q).map(|(a, b)| (a - b) * (a - b)).sum::<f32>())
        .collect();
    let (_, v, _) = d.select_nth_unstable_by(k - 1, f32::total_cmp);
    f64::from(*v)
}

/// Means of classes and one covariance, shrunk towards its diagonal.
struct Gauss {
    means: Vec<Vec<f64>>,
    mean: Vec<f64>,
    inverse: Vec<Vec<f64>>,
    inverse_whole: Vec<Vec<f64>>,
}

impl Gauss {
    fn new(points: &[Vec<f32>], codes: &[u32], classes: usize) -> Self {
        let d = points[0].len();
        let mut means = vec![vec![0.0; d]; classes];
        let mut counts = vec![0.0; classes];
        let mut mean = vec![0.0; d];
        for (p, c) in points.iter().zip(codes) {
            counts[*c as usize] += 1.0;
            for i in 0..d {
                means[*c as usize][i] += f64::from(p[i]);
                mean[i] += f64::from(p[i]) / points.len() as f64;
            }
        }
        means
            .iter_mut()
            .zip(&counts)
            .for_each(|(m, n)| m.iter_mut().for_each(|v| *v /= f64::max(*n, 1.0)));
        let cov = |center: &dyn Fn(usize) -> Vec<f64>| {
            let mut s = vec![vec![0.0; d]; d];
            for (at, p) in points.iter().enumerate() {
                let m = center(at);
                let x: Vec<f64> = p.iter().zip(&m).map(|(a, b)| f64::from(*a) - b).collect();
                for i in 0..d {
                    if x[i] != 0.0 {
                        for j in 0..=i {
                            s[i][j] += x[i] * x[j] / points.len() as f64;
                        }
                    }
                }
            }
            for i in 0..d {
                for j in 0..i {
                    s[i][j] *= 0.9;
                    s[j][i] = s[i][j];
                }
                s[i][i] += 1e-3;
            }
            invert(s)
        };
        let inverse = cov(&|at| means[codes[at] as usize].clone());
        let inverse_whole = cov(&|_| mean.clone());
        means.retain(|m| m.iter().any(|v| *v != 0.0));
        Self { means, mean, inverse, inverse_whole }
    }
    fn class(&self, p: &[f32]) -> f64 {
        self.means.iter().map(|m| form(&self.inverse, p, m)).fold(f64::INFINITY, f64::min)
    }
    fn whole(&self, p: &[f32]) -> f64 {
        form(&self.inverse_whole, p, &self.mean)
    }
}

fn form(s: &[Vec<f64>], p: &[f32], m: &[f64]) -> f64 {
    let x: Vec<f64> = p.iter().zip(m).map(|(a, b)| f64::from(*a) - b).collect();
    s.iter().zip(&x).map(|(row, xi)| xi * row.iter().zip(&x).map(|(a, b)| a * b).sum::<f64>()).sum()
}

fn invert(mut a: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = a.len();
    let mut inv: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for i in 0..n {
        let p = a[i][i];
        for j in 0..n {
            a[i][j] /= p;
            inv[i][j] /= p;
        }
        for k in 0..n {
            if k != i && a[k][i] != 0.0 {
                let f = a[k][i];
                let (ai, ii) = (a[i].clone(), inv[i].clone());
                for j in 0..n {
                    a[k][j] -= f * ai[j];
                    inv[k][j] -= f * ii[j];
                }
            }
        }
    }
    inv
}
