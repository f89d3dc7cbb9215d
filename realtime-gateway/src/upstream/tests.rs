//! Against real sockets: instances that answer, that are not there, that take a request and go away.

use super::*;
use axum::Router;
use axum::routing::any;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

struct Site {
    tasks: JoinSet<()>,
    asked: Arc<AtomicUsize>,
}

impl Site {
    fn new() -> Self {
        Self { tasks: JoinSet::new(), asked: Arc::default() }
    }

    /// An instance that answers, and counts.
    async fn good(&mut self) -> String {
        self.answering(StatusCode::OK).await
    }

    /// The same with another status.
    async fn answering(&mut self, status: StatusCode) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), self.asked.clone());
        let answer = any(async move || {
            asked.fetch_add(1, Ordering::AcqRel);
            status
        });
        let router = Router::new().fallback(answer);
        self.tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }

    /// One that reads a request, counts it and hangs up.
    async fn rude(&mut self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), self.asked.clone());
        self.tasks.spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.read(&mut [0; 4096]).await;
                asked.fetch_add(1, Ordering::AcqRel);
            }
        });
        format!("http://{address}")
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Acquire)
    }
}

/// An address at which nobody listens, nor anybody else can as long as its socket is held.
fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, format!("http://{address}"))
}

fn service(addresses: &[String]) -> Upstream {
    Upstream::new(client().unwrap(), "tests", addresses)
}

async fn ask(service: &Upstream, method: Method) -> Option<u16> {
    service.send(&method, "/x", |request| request).await.ok().map(|r| r.status().as_u16())
}

#[tokio::test]
async fn an_instance_that_is_not_there_costs_nobody_an_answer() {
    let mut site = Site::new();
    let (_held, nobody) = nobody();
    let service = service(&[nobody, site.good().await]);
    for method in [Method::GET, Method::POST].iter().cycle().take(20) {
        assert_eq!(ask(&service, method.clone()).await, Some(200), "nothing was sent to the other");
    }
    assert_eq!(site.asked(), 20);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    let mut site = Site::new();
    let service = service(&[site.rude().await, site.rude().await]);
    assert_eq!(ask(&service, Method::POST).await, None);
    assert_eq!(site.asked(), 1);
    assert_eq!(ask(&service, Method::GET).await, None);
    assert_eq!(site.asked(), 3, "what is safe is tried once more, elsewhere");
}

#[tokio::test]
async fn a_service_that_is_away_is_left_alone_and_taken_back() {
    let mut site = Site::new();
    let (socket, address) = nobody();
    let service = service(&[address]);
    assert_eq!(ask(&service, Method::GET).await, None);
    assert!(service.pool.pick(&[]).is_none(), "three tries in a row");
    let router = Router::new().fallback(any(async || {}));
    let listener = socket.listen(8).unwrap();
    site.tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let back = async {
        while ask(&service, Method::GET).await.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.unwrap();
}

#[tokio::test]
async fn a_name_is_as_good_as_its_addresses() {
    let mut site = Site::new();
    let address = site.good().await;
    let service = service(&[address.replace("127.0.0.1", "localhost")]);
    service.pool.resolve().await;
    for _ in 0..10 {
        assert_eq!(ask(&service, Method::POST).await, Some(200));
    }
}

#[tokio::test]
async fn who_says_come_again_is_not_the_last_word_where_there_is_another() {
    let mut site = Site::new();
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let (busy, alone) = (site.answering(status).await, site.answering(status).await);
    let good = site.good().await;
    let both = service(&[busy, good]);
    for _ in 0..20 {
        assert_eq!(ask(&both, Method::GET).await, Some(200));
    }
    let before = site.asked();
    let single = service(&[alone]);
    for method in [Method::GET, Method::POST] {
        assert_eq!(ask(&single, method).await, Some(503), "what it says is passed on");
    }
    assert_eq!(site.asked() - before, 2, "nobody is asked twice the same");
}

#[tokio::test]
async fn a_call_that_tells_something_is_offered_once_whatever_its_method() {
    let mut site = Site::new();
    let service = service(&[site.rude().await, site.rude().await]);
    let call = service.send_once(&Method::GET, "/x", |request| request);
    assert!(call.await.is_err());
    assert_eq!(site.asked(), 1);
}
