//! One trace from the source to the screen: a gateway tells a collector what its steps took.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use devstack::client::LiveClient;
use devstack::testing::{Ground, Stack, unique};
use service_kit::clock;
use service_kit::live_bus::{LivePublisher, LiveState};
use service_kit::trace::TraceContext;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

const LIMIT: Duration = Duration::from_secs(30);

/// What a collector was told, as it came (protobuf).
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<u8>>>);

impl Collector {
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (url, told) = (format!("http://{}", listener.local_addr().unwrap()), self.0.clone());
        let take = async move |body: Bytes| told.lock().unwrap().extend_from_slice(&body);
        let router = Router::new().route("/v1/traces", post(take));
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        tasks.detach_all();
        url
    }

    fn has(&self, text: &[u8]) -> bool {
        self.0.lock().unwrap().windows(text.len()).any(|window| window == text)
    }
}

#[tokio::test]
async fn a_delivery_and_a_request_are_steps_of_the_traces_that_they_came_with() {
    let stack = Stack::running().unwrap();
    let collector = Collector::default();
    let url = collector.serve().await;
    let mut ground = Ground::prepare("span").await.unwrap();
    let redis = [stack.manifest.redis_url.clone()];
    let gateway = ground.gateway(&redis, &[("OTLP_ENDPOINT", &url)]).await.unwrap();
    let order = unique("SPAN");
    let channel = format!("order:{order}");
    let token = ground.token("C-1", vec![order.clone()]).unwrap();
    let mut viewer = LiveClient::connect(&gateway, &token).await.unwrap();
    viewer.subscribe(&channel, None).await.unwrap();
    let [published, asked] = [TraceContext::start(), TraceContext::start()];
    let state = LiveState {
        channel: channel.clone(),
        version: 1,
        data: "{}".into(),
        traceparent: Some(published.to_string()),
    };
    let publisher = LivePublisher::new(&redis).unwrap();
    publisher.publish(&[state], clock::now().timestamp_millis()).await.unwrap();
    viewer.wait_version(&channel, 1, LIMIT).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{gateway}/v1/orders/{order}/timeline")).bearer_auth(&token);
    request.header("traceparent", asked.to_string()).send().await.unwrap();
    let told = async {
        let all = [
            b"realtime-gateway".to_vec(),
            b"deliver".to_vec(),
            published.trace_id().to_be_bytes().to_vec(),
            published.span_id().to_be_bytes().to_vec(),
            b"GET /v1/orders/{order}/timeline".to_vec(),
            asked.trace_id().to_be_bytes().to_vec(),
            asked.span_id().to_be_bytes().to_vec(),
        ];
        while !all.iter().all(|text| collector.has(text)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, told).await.expect("the collector is not told");
    ground.end().await;
}
