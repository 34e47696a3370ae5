//! Weathers for the tests that let one thing happen: who is slow, what fails, how often.

use std::time::Duration;

use super::call::Call;
use super::fault::{Fault, Order, Treatment};
use super::network::Weather;

/// What a slow call takes.
pub(crate) const LONG: Duration = Duration::from_millis(100);

pub(crate) fn fair() -> Weather {
    Box::new(|_| Treatment::default())
}

/// The first so many calls that `which` picks are treated so; all others share their order alone.
pub(crate) fn first(
    times: u32,
    which: impl Fn(&Call) -> bool + Send + 'static,
    treatment: impl Into<Treatment>,
) -> Weather {
    let (mut seen, treatment) = (0, treatment.into());
    Box::new(move |call| {
        let picked = seen < times && which(call);
        seen += u32::from(picked);
        if picked { treatment } else { Treatment { order: treatment.order, ..Treatment::default() } }
    })
}

pub(crate) fn always(which: impl Fn(&Call) -> bool + Send + 'static, treatment: impl Into<Treatment>) -> Weather {
    first(u32::MAX, which, treatment)
}

/// The calls that `which` picks work for [`LONG`], and what they apply becomes visible in this order.
pub(crate) fn slow(which: impl Fn(&Call) -> bool + Send + 'static, order: Order) -> Weather {
    always(which, Treatment { work: LONG, order, ..Treatment::default() })
}

/// The fault for every commit; once there was one, nothing else arrives.
pub(crate) fn cut_off(fault: Fault) -> Weather {
    let mut sent = false;
    Box::new(move |call| {
        sent |= call.is_commit();
        match call.is_commit() {
            true => Treatment::with(fault),
            false if sent => Treatment::with(Fault::RequestLost),
            false => Treatment::default(),
        }
    })
}
