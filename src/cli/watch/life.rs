//! One instance that is kept: run after run, as its spec, the cloud and its guest say.

use super::{Keeper, ears::Ears};
use crate::{
    cli::{apply::run_one, complain, hands::Case, ready},
    model::{Ending, Event, Hold, Idle, InstanceKey, Stance},
    read::ReadSpec,
    report::plain,
    store::Lock,
};
use std::{cell::Cell, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

/// Between two tries to get at an instance that another process is working on.
const AGAIN: Duration = Duration::from_secs(15);

/// What is wished of an instance from now on.
pub(super) struct Wish {
    pub spec: ReadSpec,
    pub case: Case,
    /// Which views of the cloud its hands share.
    pub generation: u64,
}

/// What makes a life go on otherwise.
enum News {
    /// Its file says something else.
    Wish(Box<Wish>),
    /// It is not to be kept any more.
    Leave,
}

/// A life of one instance.
pub(super) struct Life<'a> {
    keeper: &'a Keeper<'a>,
    wish: Wish,
    coming: mpsc::UnboundedReceiver<Wish>,
    /// How its last run ended, where that one had an ending.
    last: Option<Ending>,
}

impl<'a> Life<'a> {
    pub fn new(keeper: &'a Keeper<'a>, wish: Wish, coming: mpsc::UnboundedReceiver<Wish>) -> Self {
        Self { keeper, wish, coming, last: None }
    }

    /// Keeps the instance until nothing describes it any more.
    pub async fn live(mut self) {
        let (mut ears, mut rounds) = (Ears::default(), self.keeper.rounds.subscribe());
        loop {
            rounds.mark_unchanged();
            let mut news = self.settle_unless_told().await;
            let ask = &mut self.wish.case.ask;
            ask.idle = None;
            // Until it was reached, or another came after it, the latest edit is still to be applied.
            if matches!(&self.last, Some(Ending::Done { .. } | Ending::Held(Hold::OtherApplier { .. } | Hold::Archived { .. }))) {
                ask.stance = Stance::Keep;
            }
            if news.is_none() {
                // Nothing came of a run without an ending: somebody else is working on it, or a file of ours is in the way.
                let is_in_the_way = self.last.is_none();
                tokio::select! {
                    told = news_of(&mut self.coming, self.keeper) => news = Some(told),
                    _ = rounds.changed() => self.renew(),
                    () = sleep(AGAIN), if is_in_the_way => {}
                    word = ears.await_idleness(&self.wish.case), if !is_in_the_way => {
                        let ask = &mut self.wish.case.ask;
                        complain(&format!("{}: nobody uses it: {}", ask.key, plain(&word.reason)));
                        let seconds = ask.spec.autostop.as_ref().map_or(0, |it| u64::from(it.timeout_seconds));
                        ask.idle = Some(Idle { seconds });
                        ears.spent = Some(word.word);
                    }
                }
            }
            match news {
                None => {}
                Some(News::Wish(wish)) => self.wish = *wish,
                Some(News::Leave) => return,
            }
        }
    }

    /// Shares the looks of all, where it does not any more.
    fn renew(&mut self) {
        if self.wish.generation == self.keeper.generation.get() {
            return;
        }
        let stance = self.wish.case.ask.stance;
        match self.keeper.wish_of(&self.wish.spec, stance) {
            Ok(wish) => self.wish = wish,
            // What is there serves as well.
            Err(failure) => tracing::warn!(instance = %self.wish.case.ask.key, %failure, "keeps its old hands"),
        }
    }

    /// One run, ended between two of its steps where there are news meanwhile, which are given back.
    async fn settle_unless_told(&mut self) -> Option<News> {
        let (halt, halted) = watch::channel(false);
        let run = settle(self.keeper, &mut self.wish.case, halted, &mut self.last);
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

/// The latest wish, or that the instance is not to be kept any more.
async fn news_of(coming: &mut mpsc::UnboundedReceiver<Wish>, keeper: &Keeper<'_>) -> News {
    let mut stop = keeper.stop.clone();
    tokio::select! {
        _ = stop.wait_for(|it| *it) => News::Leave,
        wish = coming.recv() => match wish {
            Some(mut wish) => {
                while let Ok(later) = coming.try_recv() {
                    wish = later;
                }
                News::Wish(Box::new(wish))
            }
            None => News::Leave,
        }
    }
}

/// One run, told where something happens, or it ends otherwise than the last.
async fn settle(keeper: &Keeper<'_>, case: &mut Case, stop: watch::Receiver<bool>, last: &mut Option<Ending>) {
    let key: InstanceKey = case.ask.key.clone();
    let before = last.take();
    let lock = match Lock::take(keeper.home, &key) {
        Ok(lock) => lock,
        Err(error) => return complain(&format!("{key}: {error}")),
    };
    let is_idle = case.ask.idle.is_some();
    let has_told = Cell::new(false);
    let tell = |case: &Case, event: &Event| {
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
    match run_one(keeper.home, case, stop.clone(), &tell).await {
        Ok(ending) => *last = Some(ending),
        Err(failure) => complain(&format!("error: {failure}")),
    }
    case.not_before = None;
    drop(lock);
    match last {
        Some(Ending::Done { calls: 1.. }) => {
            ready::attend(case, stop, &|event| keeper.teller.tell(case, &event)).await;
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
