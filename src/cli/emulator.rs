//! `emulator`: serves the API of a vendor over a cloud in a directory, until told to stop.

use super::{
    Exit, Failure, Outcome,
    args::{Emulator, Vendor},
    print,
    stop::told_to_stop,
};
use crate::emulator::{Clock, Cloud, Imitate, Market, Settings, face};
use tokio::net::TcpListener;

/// Serves until Ctrl-C or a termination signal.
pub(super) async fn serve(args: Emulator) -> Outcome {
    let clock = match (args.manual_clock, args.speed) {
        (true, _) => Clock::Manual,
        (false, Some(speed)) => Clock::Speed(speed),
        (false, None) => Clock::AsIs,
    };
    let (imitate, market) = match args.provider {
        Vendor::Scaleway => (Imitate::Volumes, Market::Scaleway),
        Vendor::Linode => (Imitate::LocalDisks, Market::Linode),
    };
    let cloud = Cloud::open_market(&args.data, Settings { imitate, clock }, market, args.seed)?;
    if let Some(network) = args.network {
        cloud.lay_network(network)?;
    }
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| Failure::new(format!("cannot listen on {}: {error}; choose another address with --listen", args.listen)))?;
    print(&format!("listening on http://{}\n", listener.local_addr()?));
    face::serve(face::Face::new(cloud, args.token)?, listener, told_to_stop()?).await?;
    Ok(Exit::Done)
}
