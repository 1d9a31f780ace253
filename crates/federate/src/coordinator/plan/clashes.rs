//! Parts of a plan that exclude each other, each with its reason.

use flowgait_privacy::ClipNorm;

use super::{Mechanism, Plan};
use crate::cohort::Sampling;
use crate::error::Error;
use crate::robust::RobustKind;

impl Plan {
    pub(super) fn check_secure(&self) -> Result<(), Error> {
        let clash =
            |this: &str, that, because| Err(Error::Clash { this: this.to_owned(), that, because });
        if self.privacy.is_some_and(|privacy| privacy.mechanism == Mechanism::Distributed) {
            if self.secure.is_none() {
                return clash(
                    "noise that clients add",
                    "plain aggregation",
                    "a share of the noise hides nothing from whoever sees one client's update: turn on secure aggregation",
                );
            }
            if matches!(self.sampling, Sampling::Poisson { .. }) {
                return clash(
                    "noise that clients add",
                    "a cohort drawn by coins",
                    "how many answered decides how much noise there is, so it is public, and amplification counts on its being secret",
                );
            }
        }
        let Some(secure) = self.secure else { return Ok(()) };
        if matches!(self.sampling, Sampling::Poisson { .. }) {
            return clash(
                "secure aggregation",
                "a cohort drawn by coins",
                "all who take part see the roster, and what such a cohort is drawn for counts on its being secret",
            );
        }
        if self.robust.is_some() {
            return clash(
                "a robust rule",
                "secure aggregation",
                "it must see single updates, and secure aggregation shows their sum only",
            );
        }
        if !self.strategy.sends_update_alone() {
            return Err(Error::Clash {
                this: format!("the strategy {}", self.strategy.name()),
                that: "secure aggregation",
                because: "its clients tell more than their update, and the ring is made for clipped updates alone",
            });
        }
        if self.privacy.is_none() && self.clip_norm.is_none() {
            return clash(
                "secure aggregation",
                "updates of any length",
                "numbers in a ring have a bound: set clip_norm",
            );
        }
        let expected = self.sampling.expected(self.clients) as usize;
        secure.degree(expected).map(|_| ())
    }

    pub(super) fn check_adaptive(&self, clip_norm: Option<ClipNorm>) -> Result<(), Error> {
        if self.adaptive_clipping.is_none() {
            return Ok(());
        }
        let clash = |that, because| {
            Err(Error::Clash {
                this: "a clip norm that follows the updates".to_owned(),
                that,
                because,
            })
        };
        if clip_norm.is_none() {
            return clash(
                "updates of any length",
                "it must begin somewhere: set clip_norm, or that of privacy",
            );
        }
        if self.robust.is_some() {
            return clash(
                "a robust rule",
                "whether an update was clipped would be one more of the numbers that the rule compares",
            );
        }
        if !self.strategy.sends_update_alone() {
            return clash(
                self.strategy.name(),
                "its clients tell more than their update, and what is clipped would not be the update's length",
            );
        }
        Ok(())
    }

    pub(super) fn check_compression(&self) -> Result<(), Error> {
        let Some(compression) = self.compression else { return Ok(()) };
        let compression = compression.check()?;
        let clash =
            |this: &str, that, because| Err(Error::Clash { this: this.to_owned(), that, because });
        if self.secure.is_some() {
            return clash(
                "compression",
                "secure aggregation",
                "each client packs at places and on scales of its own, and masked numbers can be summed only as all have them",
            );
        }
        if !self.strategy.sends_update_alone() {
            return clash(
                "compression",
                self.strategy.name(),
                "its clients tell more than their update, and that may be neither left out nor rounded",
            );
        }
        if compression.bits.is_some() && (self.clip_norm.is_some() || self.privacy.is_some()) {
            return clash(
                "rounding to few bits",
                "privacy or a clip norm",
                "rounding by chance can make an update longer than it was clipped to; top_k alone comes before clipping",
            );
        }
        if compression.top_k.is_some() && self.robust.is_some() {
            return clash(
                "sending the largest entries only",
                "a robust rule",
                "it compares entries, and most of most updates would be zeros",
            );
        }
        Ok(())
    }

    pub(super) fn check_buffered(&self) -> Result<(), Error> {
        let Some(buffer) = self.strategy.buffer() else { return Ok(()) };
        buffer.check()?;
        let excluded = [
            (
                matches!(self.sampling, Sampling::Poisson { .. }),
                "a cohort drawn by coins",
                "as many clients learn at any time, everyone or a fixed number",
            ),
            (
                self.secure.is_some(),
                "secure aggregation",
                "masks cancel among clients that answer together, and here each answers when it is done",
            ),
            (
                self.privacy.is_some(),
                "privacy",
                "one client more or less changes which updates meet in a buffer, and a fast client is in one several times, so no bound of one clipped update holds for what is released",
            ),
            (
                self.robust.is_some(),
                "a robust rule",
                "it compares updates of one model, and a buffer has updates of several",
            ),
            (
                self.adaptive_clipping.is_some(),
                "a clip norm that follows the updates",
                "it moves from round to round, and clients began under several",
            ),
            (
                self.compression.is_some(),
                "compression",
                "what is packed and what a client owes is of rounds",
            ),
        ];
        match excluded.into_iter().find(|(is_there, ..)| *is_there) {
            Some((_, that, because)) => {
                Err(Error::Clash { this: "the strategy FedBuff".to_owned(), that, because })
            }
            None => Ok(()),
        }
    }

    pub(super) fn check_robust(&self, robust: RobustKind) -> Result<(), Error> {
        let this = || "a robust rule".to_owned();
        if self.privacy.is_some() {
            return Err(Error::Clash {
                this: this(),
                that: "privacy",
                because: "it must see single updates, and privacy shows no more than their noised sum",
            });
        }
        if !self.strategy.sends_update_alone() {
            return Err(Error::Clash {
                this: this(),
                that: self.strategy.name(),
                because: "its clients tell more than their update, and the rule knows what an update looks like only",
            });
        }
        let cohort = self.sampling.expected(self.clients) as usize;
        robust.check(cohort).map(|_| ())
    }
}
