//! Two tasks in one model: the classes that it learnt, and the categories that they belong to.
//!
//! A category's probability is the sum of its classes'. So both answers agree, and where a row could be one of several applications
//! of one category, the category is sure although no application is: what a person is told then, instead of `unknown`.

use crate::doubt::Doubt;
use crate::error::Error;
use crate::training::Probabilities;

/// Which category each class belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Categories {
    names: Vec<String>,
    of_class: Vec<u16>,
    doubt: Doubt,
}

impl Categories {
    /// Categories by class; `said` are the classes' probabilities, made true, of rows that were not learnt from.
    ///
    /// # Shapes
    /// `of_class[i]` is the place in `names` of class i of `said`.
    /// # Errors
    /// [`Error::Length`] when `of_class` has not one category for each class, [`Error::OutOfRange`] when one is not there,
    /// [`Error::NoRows`] without rows.
    pub fn of(names: Vec<String>, of_class: Vec<u16>, said: &Probabilities) -> Result<Self, Error> {
        check(&names, &of_class, said.classes)?;
        let doubt = Doubt::of(&sums(&of_class, names.len(), said))?;
        Ok(Self { names, of_class, doubt })
    }

    /// Categories as they were kept; none where a class has none.
    #[must_use]
    pub fn new(names: Vec<String>, of_class: Vec<u16>, doubt: Doubt) -> Option<Self> {
        check(&names, &of_class, of_class.len()).ok()?;
        Some(Self { names, of_class, doubt })
    }

    /// The categories' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The category of each class, as a place in [`names`](Self::names).
    #[must_use]
    pub fn of_class(&self) -> &[u16] {
        &self.of_class
    }

    /// What tells when to answer "unknown" even for the category.
    #[must_use]
    pub fn doubt(&self) -> &Doubt {
        &self.doubt
    }

    /// Probabilities of the categories, from those of the classes.
    #[must_use]
    pub fn probabilities(&self, said: &Probabilities) -> Probabilities {
        sums(&self.of_class, self.names.len(), said)
    }
}

fn check(names: &[String], of_class: &[u16], classes: usize) -> Result<(), Error> {
    if of_class.len() != classes {
        let (what, got) = ("categories of classes", of_class.len());
        return Err(Error::Length { what, expected: classes, got });
    }
    match of_class.iter().position(|&category| usize::from(category) >= names.len()) {
        None => Ok(()),
        Some(place) => {
            let (what, index, limit) = ("category", of_class[place].into(), names.len());
            Err(Error::OutOfRange { what, place, index, limit })
        }
    }
}

fn sums(of_class: &[u16], categories: usize, said: &Probabilities) -> Probabilities {
    let mut values = vec![0.0; categories * said.rows()];
    for (row, sums) in values.chunks_exact_mut(categories).enumerate() {
        for (probability, &category) in said.row(row).iter().zip(of_class) {
            sums[usize::from(category)] += probability;
        }
    }
    Probabilities { classes: categories, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_has_what_its_classes_have() {
        let said = Probabilities { classes: 3, values: vec![0.4, 0.35, 0.25, 0.1, 0.1, 0.8] };
        let names = vec!["web".to_owned(), "video".to_owned()];
        let categories = Categories::of(names.clone(), vec![0, 1, 1], &said).unwrap();
        let sums = categories.probabilities(&said);
        assert_eq!((sums.classes, sums.rows()), (2, 2));
        for (sum, expected) in sums.values.iter().zip([0.4, 0.6, 0.1, 0.9]) {
            assert!((sum - expected).abs() < 1e-6, "{:?}", sums.values);
        }
        // The likeliest class is web, the likeliest category is not.
        assert_eq!((said.best(0), sums.best(0)), (0, 1));
        let doubt = categories.doubt().clone();
        assert_eq!(Categories::new(names.clone(), vec![0, 1, 1], doubt.clone()), Some(categories));
        assert_eq!(Categories::new(names.clone(), vec![0, 1, 2], doubt), None);
        assert!(Categories::of(names, vec![0, 1], &said).is_err());
    }
}
