//! Clients whose updates are known: each pushes the parameters by a vector of its own, wherever they are.

use flowgait_federate::Error;
use flowgait_federate::client::Personal;
use flowgait_federate::coordinator::{Coordinator, Plan};
use flowgait_federate::learner::{Learner, Learnt};
use flowgait_federate::simulation::{Faults, Simulation};
use flowgait_model::net::GradientHook;

/// What each client adds to the parameters in a round.
///
/// # Shapes
/// `[n_clients][n_parameters]`.
pub struct Pushers(pub Vec<Vec<f32>>);

impl Pushers {
    pub fn simulation(&self, plan: Plan) -> Simulation<'_> {
        let start = vec![0.0; self.parameters()];
        let coordinator = Coordinator::new(plan.check().expect("a plan"), &start);
        let coordinator = coordinator.expect("a coordinator");
        Simulation::new(coordinator, self, Personal::Nothing, Faults::default())
    }
}

impl Learner for Pushers {
    fn parameters(&self) -> usize {
        self.0[0].len()
    }

    fn rows(&self, _: u32) -> u64 {
        1
    }

    fn rate(&self) -> f32 {
        1.0
    }

    fn learn(
        &self,
        client: u32,
        _: u64,
        values: &mut [f32],
        _: &mut GradientHook<'_>,
    ) -> Result<Learnt, Error> {
        let push = &self.0[client as usize];
        values.iter_mut().zip(push).for_each(|(value, push)| *value += push);
        Ok(Learnt { steps: 1, loss: 0.0 })
    }

    fn slope(&self, _: u32, values: &[f32]) -> Result<(f64, Vec<f32>), Error> {
        Ok((0.0, vec![0.0; values.len()]))
    }
}
