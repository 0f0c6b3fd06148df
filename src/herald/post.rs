//! News by HTTP: posted as JSON, signed, tried again for a while.

use super::news::News;
use backon::{BackoffBuilder, ExponentialBuilder};
use hmac::{Hmac, Mac};
use reqwest::{
    Client, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};
use sha2::Sha256;
use std::{fmt, fmt::Write, time::Duration};
use tokio::time::{Instant, sleep};

/// The longest that one try may take.
const TRY: Duration = Duration::from_secs(10);
/// For how long one event is tried.
const PATIENCE: Duration = Duration::from_secs(180);
/// Pauses between tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// What signs news: the owner's secret, shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl Key {
    /// Takes a secret as it is.
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into())
    }

    /// The signature of a body, as its header carries it.
    pub fn sign(&self, body: &[u8]) -> String {
        // Keys of any length are taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(body);
        mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// An address that news are posted to.
pub(super) struct Post {
    client: Client,
    url: Url,
    key: Option<Key>,
}

impl Post {
    /// # Errors
    /// Where nothing can be posted there. Its path may be a secret: it is not shown.
    pub fn to(url: &str, key: Option<Key>) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|_| "the address to notify is none; it looks like https://example.com/hook".to_owned())?;
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
            return Err("the address to notify must begin with https:// or http://".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address to notify holds a name or a password: take it out; news are signed instead".to_owned());
        }
        // The first one to come installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().user_agent(concat!("cloudypad/", env!("CARGO_PKG_VERSION"))).timeout(TRY).redirect(Policy::none());
        let client = client.build().map_err(|error| format!("cannot make an HTTP client: {}", error.without_url()))?;
        Ok(Self { client, url, key })
    }

    /// For people.
    pub fn name(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    /// Posts news, again and again for a while.
    pub async fn carry(&self, news: &News) -> Result<(), String> {
        let began = Instant::now();
        let growing = ExponentialBuilder::default().with_min_delay(PAUSES.0).with_max_delay(PAUSES.1).with_jitter();
        let mut pauses = growing.without_max_times().build();
        loop {
            let (why, asked) = match self.send(news).await {
                Ok(()) => return Ok(()),
                Err(Failed::ForGood(why)) => return Err(why),
                Err(Failed::ForNow { why, asked }) => (why, asked),
            };
            let own = pauses.next().unwrap_or(PAUSES.1);
            let pause = asked.map_or(own, |it| it.max(own)).min(PAUSES.1);
            if began.elapsed() + pause > PATIENCE {
                return Err(format!("{why}, for {} s", PATIENCE.as_secs()));
            }
            tracing::debug!(id = %news.id, %why, ?pause, "told again");
            sleep(pause).await;
        }
    }

    async fn send(&self, news: &News) -> Result<(), Failed> {
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        request = request.header("X-Cloudypad-Event", news.what).header("X-Cloudypad-Delivery", &news.id);
        if let Some(key) = &self.key {
            request = request.header("X-Cloudypad-Signature-256", key.sign(&news.body));
        }
        let answer = match request.body(news.body.clone()).send().await {
            Ok(answer) => answer,
            Err(error) => return Err(Failed::ForNow { why: told(&error), asked: None }),
        };
        let status = answer.status().as_u16();
        let asked = answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok()).map(Duration::from_secs);
        let why = format!("it answered with status {status}");
        match status {
            200..300 => Ok(()),
            408 | 425 | 429 | 500.. => Err(Failed::ForNow { why, asked }),
            _ => Err(Failed::ForGood(why)),
        }
    }
}

enum Failed {
    /// It may go well the next time.
    ForNow { why: String, asked: Option<Duration> },
    /// Asking again is of no use.
    ForGood(String),
}

/// What went wrong, without the address.
fn told(error: &reqwest::Error) -> String {
    match () {
        () if error.is_timeout() => "it did not answer in time".to_owned(),
        () if error.is_connect() => "it could not be reached".to_owned(),
        () => "the connection failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test case of RFC 4231 with a key in words.
    #[test]
    fn a_signature_is_the_hmac_of_the_body() {
        let signed = Key::new("Jefe").sign(b"what do ya want for nothing?");
        assert_eq!(signed, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(format!("{:?}", Key::new("Jefe")), "[secret]");
    }

    #[test]
    fn what_cannot_be_posted_to_is_refused_without_showing_it() {
        for wrong in ["nonsense-s3cr3t", "ftp://example.com/s3cr3t", "https://me:s3cr3t@example.com/"] {
            let why = Post::to(wrong, None).err().unwrap();
            assert!(!why.contains("s3cr3t"), "{why}");
        }
        assert_eq!(Post::to("https://example.com/s3cr3t", None).unwrap().name(), "example.com");
    }
}
