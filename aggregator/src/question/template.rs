//! An address with a place for what is asked about.

/// The place of a tracking number in an address.
pub(super) const TRACKING: &str = "{tracking}";
/// The place of an order's number.
pub(super) const ORDER: &str = "{order}";

/// Where and how to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Address: a place for the subject after the host.
    pub url: String,
    /// Body of a POST, with the same place; none: a GET.
    pub body: Option<String>,
    /// Header that takes the secret, with what stands before it.
    pub header: Option<(String, String)>,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Address.
    pub url: String,
    /// Body of a POST; none: a GET.
    pub body: Option<String>,
}

impl Template {
    /// Checks that it has a place for one kind of subject, and its address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        Self::check_address(&self.url)?;
        let texts = [Some(&self.url), self.body.as_ref()];
        let holds = |place| texts.into_iter().flatten().any(|text| text.contains(place));
        match (holds(TRACKING), holds(ORDER)) {
            (true, true) => Err(format!("one of {TRACKING} and {ORDER}")),
            (false, false) => Err(format!("a place for {TRACKING} or {ORDER}")),
            _ => Ok(()),
        }
    }

    /// Checks an address: `https` (or `http` to this machine), and the subject only after the
    /// host, so that nothing that a carrier says chooses whom we ask.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_address(url: &str) -> Result<(), String> {
        let (scheme, rest) = url.split_once("://").ok_or("no address: https://host/path")?;
        let (host, _) = rest.split_once('/').ok_or("an address with a path: https://host/path")?;
        let port = |end: &str| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
        let bare =
            host.rsplit_once(':').filter(|(_, end)| port(end)).map_or(host, |(name, _)| name);
        let here = ["127.0.0.1", "localhost", "[::1]"].contains(&bare);
        if scheme != "https" && !(scheme == "http" && here) {
            return Err("https, or http to this machine".to_owned());
        }
        if host.is_empty() || host.contains(['{', '}', '@']) {
            return Err(
                "a host, without a place to fill and without a name and password".to_owned()
            );
        }
        Ok(())
    }

    /// The call about a subject. None for one that would not stay in its place: a number is of
    /// letters, digits, `.`, `_` and `-`, and no dots alone.
    #[must_use]
    pub fn call(&self, subject: &str) -> Option<Call> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let stays = subject.len() <= 64 && subject.bytes().all(plain);
        if !stays || subject.bytes().all(|b| b == b'.') {
            return None;
        }
        let fill = |text: &String| text.replace(TRACKING, subject).replace(ORDER, subject);
        Some(Call { url: fill(&self.url), body: self.body.as_ref().map(fill) })
    }
}
