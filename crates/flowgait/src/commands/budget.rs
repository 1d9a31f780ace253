//! `flowgait budget`: what rounds under noise cost in privacy, or how much noise or how many rounds a budget allows.

use std::fmt::Write as _;

use flowgait_privacy::account::Zcdp;
use flowgait_privacy::account::pld::{self, Rounds};
use flowgait_privacy::budget::{Terms, solve};
use flowgait_privacy::{AddOrRemoveOne, Delta, Epsilon, Error, NoiseMultiplier, SamplingRate};

use crate::failure::{Failure, Outcome, sentence};
use crate::output;
use crate::units;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait budget --noise-multiplier 1.1 --sampling-rate 0.01 --rounds 1000 --delta 1e-5
  flowgait budget --epsilon 4 --sampling-rate 0.01 --rounds 1000 --delta 1e-5
  flowgait budget --epsilon 4 --noise-multiplier 1.1 --cohort 100 --clients 10000 --delta 1e-5

Of epsilon, noise and rounds, name two; the third is the answer.")]
pub struct Args {
    /// How far the odds of any outcome may move because one client took part, as a natural logarithm
    #[arg(long, value_name = "E")]
    epsilon: Option<f64>,

    /// The noise's standard deviation over the sensitivity: over the clip norm, or with --cohort over twice the clip norm
    #[arg(long, value_name = "Z")]
    noise_multiplier: Option<f64>,

    /// How many rounds
    #[arg(long, value_name = "T")]
    rounds: Option<u64>,

    /// The chance with which epsilon may fail; below one over the number of clients
    #[arg(long, value_name = "D")]
    delta: f64,

    /// The chance with which each client joins a round, by a coin of its own [default: everyone joins]
    #[arg(long, value_name = "Q", conflicts_with_all = ["cohort", "clients"])]
    sampling_rate: Option<f64>,

    /// So many clients a round, drawn without putting back
    #[arg(long, value_name = "M", requires = "clients")]
    cohort: Option<u32>,

    /// Of so many clients
    #[arg(long, value_name = "N", requires = "cohort")]
    clients: Option<u32>,
}

/// Who takes part in a round.
#[derive(Clone, Copy)]
enum Sampling {
    Poisson(SamplingRate),
    Cohort(u32, u32),
}

impl Sampling {
    /// What a round costs.
    fn terms(self, noise: NoiseMultiplier) -> Terms {
        match self {
            Self::Poisson(rate) => Terms::Poisson { rate, noise },
            Self::Cohort(cohort, population) => Terms::FixedCohort { cohort, population, noise },
        }
    }
}

/// The two that were named.
enum Question {
    Epsilon(NoiseMultiplier, u64),
    Noise(Epsilon, u64),
    Rounds(Epsilon, NoiseMultiplier),
}

/// A way to account.
struct Account {
    name: &'static str,
    about: &'static str,
    epsilon: Box<dyn Fn(NoiseMultiplier, u64) -> f64>,
}

/// Answers.
pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let wrong = |error: Error| Failure::usage(sentence(&error.to_string()));
    let delta = Delta::new(args.delta).map_err(wrong)?;
    let sampling = match (args.sampling_rate, args.cohort, args.clients) {
        (_, Some(cohort), Some(clients)) => Sampling::Cohort(cohort, clients),
        (rate, ..) => Sampling::Poisson(SamplingRate::new(rate.unwrap_or(1.0)).map_err(wrong)?),
    };
    if let Sampling::Cohort(_, clients) = sampling
        && !delta.is_below_one_of(clients.into())
    {
        return Err(Failure::usage(format!(
            "Delta is {}, but must be below one over the number of clients",
            delta.get()
        ))
        .help("At that, showing one client's update as it is would count as private."));
    }
    // A cohort that cannot be is refused here; after that, noise so little that it cannot be counted has no finite epsilon.
    let any = NoiseMultiplier::new(1.0).map_err(wrong)?;
    sampling.terms(any).epsilon(1, delta).map_err(wrong)?;
    let question = question(args).map_err(wrong)?.ok_or_else(|| {
        Failure::usage("Which two of --epsilon, --noise-multiplier and --rounds?")
            .help("Name two; the third is the answer.")
    })?;
    output::out(&answer(&question, sampling, delta)?)?;
    Ok(Outcome::Done)
}

fn question(args: &Args) -> Result<Option<Question>, Error> {
    let epsilon = args.epsilon.map(Epsilon::new).transpose()?;
    let noise = args.noise_multiplier.map(NoiseMultiplier::new).transpose()?;
    Ok(match (epsilon, noise, args.rounds) {
        (None, Some(noise), Some(rounds)) => Some(Question::Epsilon(noise, rounds)),
        (Some(epsilon), None, Some(rounds)) => Some(Question::Noise(epsilon, rounds)),
        (Some(epsilon), Some(noise), None) => Some(Question::Rounds(epsilon, noise)),
        _ => None,
    })
}

/// The accounts that hold for a way of sampling, the tightest first.
fn accounts(sampling: Sampling, delta: Delta) -> Vec<Account> {
    let rdp = Box::new(move |noise, rounds| {
        sampling.terms(noise).epsilon(rounds, delta).unwrap_or(f64::INFINITY)
    });
    let rdp =
        Account { name: "Rényi divergence", about: "what rounds are accounted by", epsilon: rdp };
    let Sampling::Poisson(rate) = sampling else { return vec![rdp] };
    let pld = move |noise, count| pld::epsilon(&[Rounds { rate, noise, count }], delta);
    let pld = Account {
        name: "privacy loss distribution",
        about: "tighter; the continuous Gaussian",
        epsilon: Box::new(pld),
    };
    let mut accounts = vec![rdp, pld];
    if rate.get() == 1.0 {
        accounts.push(Account {
            name: "zCDP",
            about: "the easiest to check by hand",
            epsilon: Box::new(move |noise, rounds| {
                Zcdp::<AddOrRemoveOne>::gaussian(noise).times(rounds).epsilon(delta)
            }),
        });
    }
    accounts
}

fn answer(question: &Question, sampling: Sampling, delta: Delta) -> Result<String, Failure> {
    let (who, relation) = match sampling {
        Sampling::Poisson(rate) if rate.get() == 1.0 => {
            ("everyone takes part".to_owned(), "one client is there or not")
        }
        Sampling::Poisson(rate) => (
            format!("each client joins with a chance of {}", rate.get()),
            "one client is there or not; who took part stays secret",
        ),
        Sampling::Cohort(cohort, clients) => (
            format!(
                "{} of {} clients a round",
                units::grouped(cohort.into()),
                units::grouped(clients.into())
            ),
            "one client is swapped for another; the noise is measured in twice the clip norm",
        ),
    };
    let known = match question {
        Question::Epsilon(noise, rounds) => {
            format!("noise multiplier {}, {}", noise.get(), units::counted(*rounds, "round"))
        }
        Question::Noise(epsilon, rounds) => {
            format!("epsilon {}, {}", epsilon.get(), units::counted(*rounds, "round"))
        }
        Question::Rounds(epsilon, noise) => {
            format!("epsilon {}, noise multiplier {}", epsilon.get(), noise.get())
        }
    };
    let mut text = format!("{who}, {known}, delta {:e}\nneighbours: {relation}\n\n", delta.get());
    for Account { name, about, epsilon } in accounts(sampling, delta) {
        let found = match question {
            Question::Epsilon(noise, rounds) => match epsilon(*noise, *rounds) {
                found if found.is_finite() => format!("epsilon {found:.4}"),
                _ => "no finite epsilon".to_owned(),
            },
            Question::Noise(limit, rounds) => {
                // Rounded up: rounded to the nearest, what is printed could be too little.
                let noise = solve::noise(*limit, |noise| epsilon(noise, *rounds))?;
                format!("noise multiplier {:.4}", (noise.get() * 1e4).ceil() / 1e4)
            }
            Question::Rounds(limit, noise) => {
                let rounds = solve::rounds(*limit, |rounds| epsilon(*noise, rounds));
                let more = if rounds == solve::ROUNDS_MAX { "at least " } else { "" };
                format!("{more}{}", units::counted(rounds, "round"))
            }
        };
        let _ = writeln!(text, "{found:<26} by {name:<26} {about}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(epsilon: Option<f64>, noise: Option<f64>, rounds: Option<u64>) -> Args {
        Args {
            epsilon,
            noise_multiplier: noise,
            rounds,
            delta: 1e-5,
            sampling_rate: Some(0.01),
            cohort: None,
            clients: None,
        }
    }

    fn answered(args: &Args) -> String {
        let question = question(args).unwrap().unwrap();
        let rate = SamplingRate::new(args.sampling_rate.unwrap()).unwrap();
        answer(&question, Sampling::Poisson(rate), Delta::new(args.delta).unwrap()).unwrap()
    }

    #[test]
    fn each_of_the_three_is_found_from_the_others() {
        // 2.101367 and 1.828244: values of the shared reference.
        let text = answered(&args(None, Some(1.0), Some(1_000)));
        assert!(text.contains("epsilon 2.1014 ") && text.contains("epsilon 1.8282 "), "{text}");
        let text = answered(&args(Some(2.101_4), Some(1.0), None));
        assert!(text.contains("1,000 rounds"), "{text}");
        let text = answered(&args(Some(2.101_4), None, Some(1_000)));
        assert!(text.contains("noise multiplier 1.0000 "), "{text}");
    }

    #[test]
    fn one_or_three_of_them_is_no_question() {
        assert!(question(&args(Some(1.0), None, None)).unwrap().is_none());
        assert!(question(&args(Some(1.0), Some(1.0), Some(1))).unwrap().is_none());
        assert!(question(&args(Some(-1.0), Some(1.0), None)).is_err());
    }
}
