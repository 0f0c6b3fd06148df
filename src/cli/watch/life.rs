//! One instance that is kept: run after run, as its spec, the cloud and its guest say.

use super::{Keeper, branch::Origin, ears::Ears, mirror::Showing};
use crate::{
    cli::{apply::run_one, chronicle::event_object, complain, hands::Case, ready},
    model::{self, Ending, Event, Facts, Hold, Idle, InstanceKey, Occasion, Stance, World},
    read::ReadSpec,
    report::plain,
    store::Lock,
};
use jiff::Timestamp;
use std::{cell::Cell, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

/// Between two tries to get at an instance that another process is working on.
const AGAIN: Duration = Duration::from_secs(15);

/// The longest sleep by a clock that somebody may set.
const CLOCK: Duration = Duration::from_secs(60);

/// What is wished of an instance from now on.
pub(super) struct Wish {
    pub spec: ReadSpec,
    pub case: Case,
    /// Where its spec is; a commit stays laid out as long as it is wished.
    pub origin: Origin,
    /// Which views of the cloud its hands share.
    pub generation: u64,
}

/// What makes a life go on otherwise.
enum News {
    /// Its file says something else, or nothing that could be done.
    Wish(Option<Box<Wish>>),
    /// The watch ends.
    Leave,
}

/// Where the wishes for an instance come from; `None`: it is left as it is.
pub(super) type Wishes = mpsc::UnboundedReceiver<Option<Box<Wish>>>;

/// A life of one instance.
pub(super) struct Life<'a> {
    keeper: &'a Keeper<'a>,
    coming: Wishes,
    /// How its last run ended, where that one had an ending.
    last: Option<Ending>,
    ears: Ears,
    /// When the clock may wish something else.
    look_again: Cell<Option<Timestamp>>,
}

impl<'a> Life<'a> {
    pub fn new(keeper: &'a Keeper<'a>, coming: Wishes) -> Self {
        Self { keeper, coming, last: None, ears: Ears::default(), look_again: Cell::default() }
    }

    /// Keeps the instance, as long as the watch lasts.
    pub async fn live(mut self) {
        let mut wish = None;
        loop {
            let news = match &mut wish {
                None => self.news().await,
                Some(wish) => self.keep(wish).await,
            };
            match news {
                News::Wish(next) => wish = next.map(|it| *it),
                News::Leave => return,
            }
        }
    }

    /// Keeps the instance as it is wished, until there are news.
    async fn keep(&mut self, wish: &mut Wish) -> News {
        let mut rounds = self.keeper.rounds.subscribe();
        loop {
            rounds.mark_unchanged();
            if let Some(news) = self.settle_unless_told(wish).await {
                return news;
            }
            if wish.case.ask.idle.take().is_some() && !matches!(&self.last, Some(Ending::Done { .. } | Ending::Held(Hold::Archived { .. })))
            {
                // It came to nothing; said again, it is heard again.
                self.ears.spent = None;
            }
            if matches!(&self.last, Some(Ending::Done { .. })) {
                wish.case.ask.wake = false;
            }
            // Until it was reached, or another came after it, the latest edit is still to be applied.
            if matches!(&self.last, Some(Ending::Done { .. } | Ending::Held(Hold::OtherApplier { .. } | Hold::Archived { .. }))) {
                wish.case.ask.stance = Stance::Keep;
            }
            // Nothing came of a run without an ending: somebody else is working on it, or a file of ours is in the way.
            let is_in_the_way = self.last.is_none();
            tokio::select! {
                news = news_of(&mut self.coming, self.keeper) => return news,
                _ = rounds.changed() => {
                    // What is there serves as well; what the clock wishes otherwise is tried below.
                    if let Err(failure) = self.keeper.renew(wish, Occasion::Resync) {
                        tracing::warn!(instance = %wish.case.ask.key, %failure, "keeps its old hands");
                    }
                }
                () = by_clock(&self.look_again) => {
                    if let Some(news) = self.follow_clock(wish).await {
                        return news;
                    }
                }
                () = sleep(AGAIN), if is_in_the_way => {}
                word = self.ears.await_idleness(&wish.case), if !is_in_the_way => {
                    let ask = &mut wish.case.ask;
                    complain(&format!("{}: nobody uses it: {}", ask.key, plain(&word.reason)));
                    let seconds = ask.spec.autostop.as_ref().map_or(0, |it| u64::from(it.timeout_seconds));
                    ask.idle = Some(Idle { seconds });
                    self.ears.spent = Some(word.word);
                }
            }
        }
    }

    /// Takes over what the clock wishes, as soon as that can be done.
    async fn follow_clock(&mut self, wish: &mut Wish) -> Option<News> {
        let mut told = false;
        while let Err(failure) = self.keeper.renew(wish, Occasion::Schedule) {
            if !std::mem::replace(&mut told, true) {
                complain(&format!("{}: {failure}; what the clock wishes is tried again", wish.case.ask.key));
            }
            tokio::select! {
                news = news_of(&mut self.coming, self.keeper) => return Some(news),
                () = sleep(AGAIN) => {}
            }
        }
        None
    }

    async fn news(&mut self) -> News {
        news_of(&mut self.coming, self.keeper).await
    }

    /// One run, ended between two of its steps where there are news meanwhile, which are given back.
    async fn settle_unless_told(&mut self, wish: &mut Wish) -> Option<News> {
        let (halt, halted) = watch::channel(false);
        let run = settle(self.keeper, &mut wish.case, halted, &mut self.last, &self.look_again);
        tokio::pin!(run);
        tokio::select! {
            () = &mut run => None,
            news = news_of(&mut self.coming, self.keeper) => {
                let _ = halt.send(true);
                run.await;
                Some(news)
            }
        }
    }
}

/// Waits until the clock may wish something else.
async fn by_clock(look_again: &Cell<Option<Timestamp>>) {
    loop {
        let Some(moment) = look_again.get() else { return std::future::pending().await };
        match Duration::try_from(moment.duration_since(Timestamp::now())) {
            // A clock may be set meanwhile.
            Ok(left) if !left.is_zero() => sleep(left.min(CLOCK)).await,
            _ => {
                look_again.set(None);
                return;
            }
        }
    }
}

/// The latest news.
async fn news_of(coming: &mut Wishes, keeper: &Keeper<'_>) -> News {
    let mut stop = keeper.stop.clone();
    tokio::select! {
        _ = stop.wait_for(|it| *it) => News::Leave,
        wish = coming.recv() => match wish {
            Some(mut wish) => {
                while let Ok(mut later) = coming.try_recv() {
                    if let (Some(wish), Some(later)) = (&wish, &mut later) {
                        later.case.ask.wake |= wish.case.ask.wake;
                    }
                    wish = later;
                }
                News::Wish(wish)
            }
            None => News::Leave,
        }
    }
}

/// One run, told where something happens, or it ends otherwise than the last.
async fn settle(
    keeper: &Keeper<'_>,
    case: &mut Case,
    stop: watch::Receiver<bool>,
    last: &mut Option<Ending>,
    look_again: &Cell<Option<Timestamp>>,
) {
    let key: InstanceKey = case.ask.key.clone();
    let before = last.take();
    let lock = match Lock::take(keeper.home, &key) {
        Ok(lock) => lock,
        Err(error) => return complain(&format!("{key}: {error}")),
    };
    let is_idle = case.ask.idle.is_some();
    let has_told = Cell::new(false);
    let showing = Showing::new(keeper.hub.as_deref(), case);
    let tell = |case: &Case, event: &Event| {
        showing.tell(case, event);
        if let Some(herald) = &keeper.herald {
            herald.tell(&event_object(case, event));
        }
        let is_news = match event {
            // Whoever was told of nothing need not know that it was given up: a file was half written.
            Event::Ended(Ending::Interrupted) => has_told.get(),
            Event::Ended(ending) => !before.as_ref().is_some_and(|it| is_like(it, ending)),
            _ => true,
        };
        if is_news {
            has_told.set(true);
            keeper.teller.tell(case, event);
        }
    };
    // Once it was in force, this wish yields to whoever comes after it.
    let was_applied = Cell::new(false);
    let show = |world: &World, facts: &Facts| {
        was_applied.set(was_applied.get() || facts.applied.is_some());
        look_again.set(model::look_again(&case.ask, world, case.provider.capabilities().speed));
        showing.show(case, world, facts);
    };
    match run_one(keeper.home, case, stop.clone(), &tell, &show).await {
        Ok(ending) => *last = Some(ending),
        Err(failure) => {
            showing.fail(case, &failure.to_string());
            complain(&format!("error: {failure}"));
        }
    }
    case.not_before = None;
    if was_applied.get() {
        case.ask.stance = Stance::Keep;
    }
    drop(lock);
    match last {
        Some(Ending::Done { calls: 1.. }) => {
            let tell = |event: Event| {
                showing.tell(case, &event);
                if let Some(herald) = &keeper.herald {
                    herald.tell(&event_object(case, &event));
                }
                keeper.teller.tell(case, &event);
            };
            ready::attend(case, stop, &tell).await;
        }
        Some(Ending::Done { calls: 0 }) if is_idle => {
            complain(&format!(
                "{key}: nobody uses it, and it cannot be archived as its spec stands; cloudypad plan says what serverState: absent would do"
            ));
        }
        _ => {}
    }
}

/// Whether two runs ended alike: what was counted meanwhile makes no difference.
fn is_like(one: &Ending, other: &Ending) -> bool {
    let words = |hold: &Hold| hold.to_string().replace(|it: char| it.is_ascii_digit(), "");
    match (one, other) {
        (Ending::Done { .. }, Ending::Done { calls }) => *calls == 0,
        (Ending::Held(one), Ending::Held(other)) => one.code() == other.code() && words(one) == words(other),
        _ => false,
    }
}
