//! What can happen to a request, and the random choice of it.

use std::time::Duration;

use fastrand::Rng;

use super::call::Call;
use super::table::Reason;

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Refused: `ThrottlingException`.
    Throttled,
    /// Refused: `ProvisionedThroughputExceededException`.
    OverThroughput,
    /// A transaction cancelled since one of its items is throttled.
    ThrottledWithin,
    /// A transaction cancelled since another is in flight on its items, which this one never meets.
    Conflict,
    /// A 500 in place of doing it.
    ServerError,
    /// Nothing was sent.
    Unconnected,
    /// It never arrives; the client waits until it gives up.
    RequestLost,
    /// It is done, and the client waits until it gives up.
    ReplyLost,
    /// It is done, and the connection breaks.
    BrokenOff,
    /// It is done, and a 500 says otherwise.
    ServerErrorAfter,
    /// It arrives so much later, mostly after the client gave up.
    Late(Duration),
    /// A batch of reads is answered in part.
    Partial,
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::Throttled => "throttled",
            Fault::OverThroughput => "throughput exceeded",
            Fault::ThrottledWithin => "an item throttled",
            Fault::Conflict => "transaction conflict",
            Fault::ServerError => "500, not done",
            Fault::Unconnected => "no connection",
            Fault::RequestLost => "time-out, not done",
            Fault::ReplyLost => "time-out, done",
            Fault::BrokenOff => "connection reset, done",
            Fault::ServerErrorAfter => "500, done",
            Fault::Late(_) => "done after the time-out",
            Fault::Partial => "answered in part",
        }
    }
}

/// What becomes of one request: its way there, the work, the way back, and what goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Treatment {
    pub(crate) there: Duration,
    pub(crate) work: Duration,
    pub(crate) back: Duration,
    pub(crate) fault: Option<Fault>,
    pub(crate) order: Order,
}

/// In which order a transaction's items become visible and a batch's are read, and which reasons of a cancelled
/// transaction are told: DynamoDB promises nothing of either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they were sent; every reason.
    #[default]
    Sent,
    /// The last that was sent is the first; every reason.
    Backwards,
    /// Any order, and any of the reasons, by this seed.
    Any(u64),
}

impl Order {
    /// The place of each of so many.
    pub(crate) fn places(self, number: usize) -> Vec<u32> {
        let mut places: Vec<_> = (0..u32::try_from(number).expect("100 at most")).collect();
        match self {
            Order::Sent => {}
            Order::Backwards => places.reverse(),
            Order::Any(seed) => Rng::with_seed(seed).shuffle(&mut places),
        }
        places
    }

    /// Those of so many that a conflict concerns: one at least.
    pub(crate) fn some(self, number: usize) -> impl Fn(usize) -> bool {
        move |position| match self {
            Order::Sent | Order::Backwards => true,
            Order::Any(seed) => {
                let mut rng = Rng::with_seed(seed);
                let one = rng.usize(..number);
                position == one || rng.u64(..) >> (position % 64) & 1 == 1
            }
        }
    }

    /// The reasons that are told of those that hold: one at least.
    pub(crate) fn told(self, mut reasons: Vec<Option<Reason>>) -> Vec<Option<Reason>> {
        let holding: Vec<_> = (0..reasons.len()).filter(|position| reasons[*position].is_some()).collect();
        let told = self.some(holding.len());
        for (index, position) in holding.into_iter().enumerate() {
            if !told(index) {
                reasons[position] = None;
            }
        }
        reasons
    }
}

impl From<Fault> for Treatment {
    fn from(fault: Fault) -> Treatment {
        Treatment::with(fault)
    }
}

impl Treatment {
    pub(crate) fn with(fault: Fault) -> Treatment {
        Treatment { fault: Some(fault), ..Treatment::default() }
    }
}

/// How bad it is, in a whole schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Climate {
    /// Faults in a thousand requests.
    pub(crate) faults: u32,
    /// The longest way there or back, and the longest work.
    pub(crate) delay_ms: u64,
    /// Whether commits take time, are applied in any order, and cancelled for any of the reasons that hold.
    pub(crate) torn: bool,
}

impl Climate {
    pub(crate) fn random(rng: &mut Rng) -> Climate {
        Climate { faults: [20, 100, 250, 400][rng.usize(..4)], delay_ms: [2, 10, 40][rng.usize(..3)], torn: true }
    }

    pub(crate) fn treat(self, call: &Call, rng: &mut Rng) -> Treatment {
        let mut delay = || Duration::from_millis(rng.u64(0..=self.delay_ms));
        let (there, work, back) = (delay(), delay(), delay());
        let work = if self.torn { work } else { Duration::ZERO };
        let fault = (rng.u32(..1000) < self.faults).then(|| if call.is_write() { write(rng) } else { read(rng) });
        let order = if self.torn { Order::Any(rng.u64(..)) } else { Order::Sent };
        Treatment { there, work, back, fault, order }
    }
}

fn write(rng: &mut Rng) -> Fault {
    match rng.u32(..10) {
        0 => Fault::Throttled,
        1 => Fault::OverThroughput,
        2 => Fault::ThrottledWithin,
        3 => Fault::Conflict,
        4 => Fault::ServerError,
        5 => Fault::RequestLost,
        6 => Fault::ReplyLost,
        7 => Fault::BrokenOff,
        8 => Fault::ServerErrorAfter,
        // The client gives up after 0.3 s a try; leases hold for a second.
        _ => Fault::Late(Duration::from_millis(rng.u64(100..3_000))),
    }
}

fn read(rng: &mut Rng) -> Fault {
    match rng.u32(..5) {
        0 => Fault::Throttled,
        1 => Fault::ServerError,
        2 => Fault::Unconnected,
        3 => Fault::RequestLost,
        _ => Fault::Partial,
    }
}
