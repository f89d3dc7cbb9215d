//! The widget's files, and the demo shop's page.

use crate::upstream::Upstream;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::any;
use service_kit::problem::Problem;
use std::path::PathBuf;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

/// Where pages come from.
#[derive(Clone)]
pub struct Pages {
    /// Folder with the built widget and the demo page.
    pub folder: Option<PathBuf>,
    /// Back end of the demo shop.
    pub demo_shop: Option<Upstream>,
}

/// Nothing but our own files, and live connections to ourselves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/widget/*`, `/demo`, `/demo/api/*`: those of them that the settings name.
pub(super) fn router(pages: Pages) -> Router {
    let mut router = Router::new();
    if let Some(shop) = pages.demo_shop {
        router = router.route("/demo/api/{*path}", any(demo_shop).with_state(shop));
    }
    let Some(folder) = pages.folder else {
        return router;
    };
    let files = Router::new()
        .route_service("/demo", ServeFile::new(folder.join("demo/index.html")))
        .nest_service("/demo/assets", ServeDir::new(folder.join("demo/assets")))
        .nest_service("/widget", ServeDir::new(folder.join("widget")));
    let fixed = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::overriding(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    router.merge(
        files
            .layer(fixed("content-security-policy", POLICY))
            .layer(fixed("referrer-policy", "no-referrer"))
            .layer(fixed("x-content-type-options", "nosniff"))
            .layer(fixed("cache-control", "no-cache"))
            // The widget is embedded by other origins; it is public.
            .layer(fixed("cross-origin-resource-policy", "cross-origin")),
    )
}

/// The demo shop's back end, on the page's own origin.
async fn demo_shop(
    State(shop): State<Upstream>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let path = uri.path().strip_prefix("/demo/api").unwrap_or_default();
    // Nothing but the shop's own routes: a step up would reach the control of the fakes.
    if path.split('/').any(|part| part.starts_with('.'))
        || path.contains('%')
        || path.contains('\\')
    {
        return Err(Problem::not_found());
    }
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let kind = headers.get(header::CONTENT_TYPE).cloned();
    let answer = shop
        .send(&method, &format!("/shop{path}{query}"), |request| {
            let request = request.body(body.clone());
            kind.iter().fold(request, |request, kind| request.header(header::CONTENT_TYPE, kind))
        })
        .await?;
    let status = StatusCode::from_u16(answer.status().as_u16()).map_err(|_| Problem::internal())?;
    let bytes =
        answer.bytes().await.map_err(|_| Problem::unavailable("The demo shop does not answer."))?;
    let response =
        Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    response.body(Body::from(bytes)).map_err(|_| Problem::internal())
}
