//! Who is asking: reads `Authorization: Bearer` as a viewer's token or as a key.

use crate::api_key::{ApiKeys, Role};
use crate::config::Common;
use crate::problem::Problem;
use crate::token::{TokenKeys, Viewer};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::{HeaderMap, header, request::Parts};
use contract::name::Channel;
use std::sync::Arc;

/// Keys of tokens and of back ends.
pub struct Auth {
    /// Sign and verify viewers' tokens.
    pub tokens: TokenKeys,
    /// Keys of back ends and operators.
    pub keys: ApiKeys,
}

impl Auth {
    /// Reads both files that the settings name.
    ///
    /// # Errors
    /// One sentence for each file that is wrong.
    pub fn read(config: &Common) -> Result<Arc<Self>, String> {
        match (TokenKeys::read(&config.token_keys_file), ApiKeys::read(&config.api_keys_file)) {
            (Ok(tokens), Ok(keys)) => Ok(Arc::new(Self { tokens, keys })),
            (tokens, keys) => {
                let problems = [tokens.err(), keys.err()];
                Err(problems.into_iter().flatten().collect::<Vec<_>>().join("; "))
            }
        }
    }

    /// Who holds what the headers carry.
    ///
    /// # Errors
    /// 401 with the reason as its code.
    pub fn principal(&self, headers: &HeaderMap) -> Result<Principal, Problem> {
        let given = bearer(headers).ok_or_else(|| Problem::unauthorized("token_missing"))?;
        if let Some(role) = self.keys.role(given) {
            return Ok(Principal::Key(role));
        }
        let viewer = self.tokens.verify(given);
        viewer.map(Principal::Viewer).map_err(|e| Problem::unauthorized(e.label()))
    }
}

/// The credentials in `Authorization: Bearer`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(rest.trim())
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person with a token.
    Viewer(Viewer),
    /// A program or an operator with a key.
    Key(Role),
}

impl Principal {
    /// Only a viewer may pass.
    ///
    /// # Errors
    /// 403 for a key.
    pub fn viewer(self) -> Result<Viewer, Problem> {
        match self {
            Self::Viewer(viewer) => Ok(viewer),
            Self::Key(_) => Err(Problem::forbidden()),
        }
    }

    /// Only a key of this role may pass.
    ///
    /// # Errors
    /// 403 for anyone else.
    pub fn key(&self, role: Role) -> Result<(), Problem> {
        if *self == Self::Key(role) { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// May the asker read this channel's state? An operator may read all.
    #[must_use]
    pub fn may_read(&self, channel: &Channel) -> bool {
        match self {
            Self::Key(role) => *role == Role::Operator,
            Self::Viewer(viewer) => viewer.may_watch(channel),
        }
    }
}

impl<S> FromRequestParts<S> for Principal
where
    Arc<Auth>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Arc::<Auth>::from_ref(state).principal(&parts.headers)
    }
}
