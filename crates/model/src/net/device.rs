//! Where a network learns: on the processor, or on a graphics card where the program was built for one.
//!
//! It answers on the processor always: a row costs microseconds there, less than the way to a card and back.

use burn_tensor::Device as Backend;

use crate::error::Error;

/// Where a network learns.
///
/// Sums are made in another order on a card, so the last digits of what is learnt differ from the processor's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor's cores.
    #[default]
    Cpu,
    /// The fastest graphics card that the machine offers (Vulkan, Metal or DirectX 12).
    Gpu,
}

/// Rows whose gradient is computed at once on a core: a batch is many such parts, for cores to share.
const PART: usize = 32;

impl Device {
    /// What it calls itself; opens it, if need be.
    ///
    /// # Errors
    /// [`Error::NoGpu`] where there is no card, or the program was built without the feature `gpu`.
    pub fn name(self) -> Result<String, Error> {
        match self {
            Self::Cpu => Ok("processor".into()),
            Self::Gpu => card::name().map_err(Error::NoGpu),
        }
    }

    /// Where tensors are made.
    pub(super) fn open(self) -> Result<Backend, Error> {
        match self {
            Self::Cpu => Ok(Backend::flex()),
            Self::Gpu => card::open().map_err(Error::NoGpu),
        }
    }

    /// Rows whose gradient is computed at once; a card is one worker that wants a whole batch.
    pub(super) fn part(self) -> usize {
        match self {
            Self::Cpu => PART,
            Self::Gpu => usize::MAX,
        }
    }
}

#[cfg(feature = "gpu")]
mod card {
    use std::sync::OnceLock;

    use burn_tensor::Device as Backend;

    /// A card is set up once for the process: burn refuses a second time.
    static CARD: OnceLock<Result<Backend, String>> = OnceLock::new();

    pub(super) fn open() -> Result<Backend, String> {
        CARD.get_or_init(|| Backend::wgpu_options().init().map_err(|error| error.to_string()))
            .clone()
    }

    pub(super) fn name() -> Result<String, String> {
        let identity = open()?.identity();
        Ok(identity.map_or_else(|| "graphics card".into(), |identity| identity.name))
    }
}

#[cfg(not(feature = "gpu"))]
mod card {
    use burn_tensor::Device as Backend;

    const WITHOUT: &str = "this program was built without the feature gpu";

    pub(super) fn open() -> Result<Backend, String> {
        Err(WITHOUT.into())
    }

    pub(super) fn name() -> Result<String, String> {
        Err(WITHOUT.into())
    }
}
