//! Sunshine's own page, which answers to the machine itself only: what pairs a client of Moonlight with it.

use super::{
    Barred, Way,
    tunnel::{Ended, Tunnel},
    way::NOT_IN,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    client::conn::http1::handshake,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, LOCATION, ORIGIN},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// The port of Sunshine's page.
pub const SUNSHINE_PAGE: u16 = 47990;
/// No answer of Sunshine's is larger, in bytes.
const LARGEST: usize = 64 << 10;
/// As much as is shown of an answer that is none of Sunshine's, in characters.
const SHOWN: usize = 200;

/// Sunshine's page on a machine, and who comes to it.
pub struct SunshinePage<'a> {
    /// The way into the machine.
    pub way: &'a Way,
    /// The page's port.
    pub port: u16,
    /// The user it knows.
    pub user: &'a str,
    /// The user's password.
    pub password: &'a str,
}

/// Why nobody was paired.
#[derive(Debug, PartialEq, Eq)]
pub enum Unpaired {
    /// SSH did not let us in.
    Barred(Barred),
    /// The machine lets us in, and nothing listens at the page's port.
    NotUp,
    /// The page does not take the user and the password.
    WrongPassword,
    /// Nobody has given Sunshine a user and a password yet.
    NoPassword,
    /// No client waits with this PIN.
    NobodyWaits,
    /// What answered is not what Sunshine says.
    Strange(String),
    /// It did not answer in time.
    Silent,
    /// We were told to stop.
    Stopped,
}

impl SunshinePage<'_> {
    /// Gives Sunshine the PIN that a client of Moonlight shows; the client is known there as `client` from then on. `cut` ends
    /// it early, and says why.
    ///
    /// # Errors
    /// [`Unpaired`], by what is to be done about it.
    pub async fn pair(&self, pin: &str, client: &str, cut: impl Future<Output = Unpaired>) -> Result<(), Unpaired> {
        let (tunnel, stream) = Tunnel::open(self.way, self.port).map_err(Unpaired::Barred)?;
        let said = json!({"pin": pin, "name": client}).to_string();
        let came = tokio::select! {
            came = self.post(stream, "/api/pin", said) => came,
            why = cut => {
                tunnel.close(true).await;
                return Err(why);
            }
        };
        let ended = tunnel.close(came.is_ok()).await;
        match came {
            Ok((status, place, text)) => self.read(status, &place, &text),
            Err(broken) => Err(self.blame(ended, broken)),
        }
    }

    /// Sends something to the page; gives its answer: the status, where it sends us on, and the text.
    async fn post(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        path: &str,
        text: String,
    ) -> Result<(StatusCode, String, String), Broken> {
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::new(trusting_the_tunnel()?)).connect(name, stream).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let host = format!("localhost:{}", self.port);
        let mut login = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password))))?;
        login.set_sensitive(true);
        let request = Request::post(path)
            // As its own page would ask.
            .header(ORIGIN, format!("https://{host}"))
            .header(HOST, host)
            .header(AUTHORIZATION, login)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::<Bytes>::from(text))?;
        let asking = async {
            let answer = sender.send_request(request).await?;
            let (status, place) = (answer.status(), answer.headers().get(LOCATION).cloned());
            let text = Limited::new(answer.into_body(), LARGEST).collect().await?.to_bytes();
            let place = place.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()).unwrap_or_default();
            Ok((status, place, String::from_utf8_lossy(&text).into_owned()))
        };
        tokio::pin!(asking, connection);
        let mut carried = false;
        loop {
            tokio::select! {
                answer = &mut asking => return answer,
                _ = &mut connection, if !carried => carried = true,
            }
        }
    }

    /// What an answer means. Older versions write truth as text.
    fn read(&self, status: StatusCode, place: &str, text: &str) -> Result<(), Unpaired> {
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        let truth = |word: bool| answer["status"] == json!(word) || answer["status"] == json!(word.to_string());
        match status {
            StatusCode::OK if truth(true) => Ok(()),
            StatusCode::OK if truth(false) => Err(Unpaired::NobodyWaits),
            StatusCode::UNAUTHORIZED => Err(Unpaired::WrongPassword),
            _ if status.is_redirection() && place.ends_with("/welcome") => Err(Unpaired::NoPassword),
            _ => {
                // Whoever echoes a request shows the password both ways.
                let pair = BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password));
                let clean = text.replace(&pair, "[secret]").replace(self.password, "[secret]");
                let shown: String = clean.chars().take(SHOWN).collect();
                Err(Unpaired::Strange(format!("{status} {}", shown.trim()).trim_end().to_owned()))
            }
        }
    }

    /// Why no answer came.
    fn blame(&self, Ended { code, said }: Ended, broken: Broken) -> Unpaired {
        match said.lines().find(|it| it.contains("open failed")) {
            Some(line) if line.contains("refused") => Unpaired::NotUp,
            Some(line) => Unpaired::Barred(Barred::Shut {
                why: format!("the machine's SSH server does not carry us to port {}: {}", self.port, line.trim()),
                remedy: "allow it: AllowTcpForwarding yes, in the machine's /etc/ssh/sshd_config".to_owned(),
            }),
            None if code == Some(NOT_IN) => Unpaired::Barred(self.way.read(&said)),
            None => Unpaired::Strange(broken.to_string()),
        }
    }
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

/// TLS that takes whatever certificate is shown. Sunshine makes its own on the machine, and nobody vouches for it; that this is
/// the machine was proved by its host key, and nobody else is at the other end of the tunnel.
fn trusting_the_tunnel() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(OfTheTunnel(provider))).with_no_client_auth())
}

/// Whoever is at the end of the tunnel.
#[derive(Debug)]
struct OfTheTunnel(Arc<CryptoProvider>);

impl ServerCertVerifier for OfTheTunnel {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
