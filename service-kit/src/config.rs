//! Settings from the environment (or the same names as flags), all problems named at once.

use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches};
use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Exit code of a wrong setting or argument (`EX_USAGE`); nobody should start it again unchanged.
pub const EXIT_USAGE: u8 = 64;

/// A process that Kafka has not heard of for so long is gone.
pub(crate) const SESSION: Duration = Duration::from_secs(6);

/// Settings of every service.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Address that clients reach
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    pub http_addr: SocketAddr,
    /// Address of health and metrics; never public
    #[arg(long, env, default_value = "127.0.0.1:9080")]
    pub admin_addr: SocketAddr,
    /// What is logged: a filter such as `info,aggregator=debug`
    #[arg(long, env, default_value = "info", value_parser = filter)]
    pub log: String,
    /// How it is logged: `json` or `pretty`
    #[arg(long, env, default_value = "json", value_parser = ["json", "pretty"])]
    pub log_format: String,
    /// Collector of OpenTelemetry, as `http://host:4318`; without one no spans are kept
    #[arg(long, env, value_parser = http_url)]
    pub otlp_endpoint: Option<String>,
    /// Redis, as `redis://host:port`; several, comma-separated: nodes of a cluster
    #[arg(long, env, hide_env_values = true, required = true, value_delimiter = ',', value_parser = redis_url)]
    pub redis_url: Vec<String>,
    /// JWK set of token keys; the first signs, all verify
    #[arg(long, env, value_parser = file)]
    pub token_keys_file: PathBuf,
    /// JSON list of `{"name","role":"api"|"operator","key"}`
    #[arg(long, env, value_parser = file)]
    pub api_keys_file: PathBuf,
    /// Threads that work: one for each core; where services share a machine, their share
    #[arg(long, env)]
    pub worker_threads: Option<NonZeroU16>,
    /// How long an orderly stop may take
    #[arg(long, env, default_value = "10s", value_parser = duration)]
    pub shutdown_grace: Duration,
}

/// Settings of the services that own a database.
#[derive(Debug, Clone, Args)]
pub struct Postgres {
    /// `PostgreSQL` database of this service
    #[arg(long, env, hide_env_values = true, value_parser = database_url)]
    pub database_url: SecretString,
    /// Most connections to it
    #[arg(long, env, default_value_t = 12)]
    pub database_connections: u32,
}

/// Settings of the services that read and write Kafka.
#[derive(Debug, Clone, Args)]
pub struct Kafka {
    /// Kafka, as `host:port[,host:port]`
    #[arg(long, env)]
    pub kafka_brokers: String,
    /// Name of this process among its equals; kept over a restart, it takes its partitions back at once
    #[arg(long, env, default_value = "1")]
    pub kafka_instance: String,
    /// Partitions of a topic that this service has to create
    #[arg(long, env, default_value_t = 4)]
    pub kafka_partitions: i32,
    /// Copies of a topic that this service has to create
    #[arg(long, env, default_value_t = 1)]
    pub kafka_replication: i32,
    /// Whoever takes nothing for so long is taken to hang: others read in its place
    #[arg(long, env, default_value = "60s", value_parser = poll_interval)]
    pub kafka_max_poll_interval: Duration,
}

/// No process is given up sooner than one that is gone ([`SESSION`]); a day is the most that librdkafka takes.
fn poll_interval(text: &str) -> Result<Duration, String> {
    let wanted = duration(text)?;
    let most = Duration::from_hours(24);
    let fits = (SESSION..=most).contains(&wanted);
    fits.then_some(wanted).ok_or_else(|| "wants 6s to 24h".to_owned())
}

/// Checks a Redis URL. Clap would print a wrong value; a URL may hold a password, so only the
/// reason is given.
fn redis_url(text: &str) -> Result<String, String> {
    redis::Client::open(text).map_err(|_| "wants redis://host:port".to_owned())?;
    Ok(text.to_owned())
}

/// Checks a filter of logs.
fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map_err(|_| "wants a filter such as info,aggregator=debug".to_owned())?;
    Ok(text.to_owned())
}

/// Checks that a file is there and may be read; what is in it is looked at later.
fn file(text: &str) -> Result<PathBuf, String> {
    std::fs::File::open(text).map_err(|error| error.to_string())?;
    Ok(text.into())
}

/// Checks the address of something that is reached by HTTP.
///
/// # Errors
/// What is wanted.
pub fn http_url(text: &str) -> Result<String, String> {
    let url = text.parse::<reqwest::Url>().ok().filter(reqwest::Url::has_host);
    match url.filter(|url| matches!(url.scheme(), "http" | "https")) {
        Some(_) => Ok(text.to_owned()),
        None => Err("wants http://host:port".to_owned()),
    }
}

/// Checks a Postgres URL, as [`redis_url`] does.
fn database_url(text: &str) -> Result<SecretString, String> {
    PgConnectOptions::from_str(text)
        .map_err(|_| "wants postgres://user@host:port/name".to_owned())?;
    Ok(text.into())
}

/// Reads a duration such as `250ms`, `10s`, `5m`, `2h`, `90d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 =
        number.parse().map_err(|_| "wants a number and a unit: 250ms, 10s, 5m".to_owned())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        "d" => Ok(Duration::from_secs(number.saturating_mul(86_400))),
        _ => Err("wants a unit: ms, s, m, h or d".to_owned()),
    }
}

/// Reads arguments and environment into `T`.
///
/// # Errors
/// The text to print and the exit code: 0 for `--help`, [`EXIT_USAGE`] with **every** missing
/// or malformed setting named, where clap alone stops at the first malformed one.
pub fn parse<T: CommandFactory + FromArgMatches>(args: &[OsString]) -> Result<T, (String, u8)> {
    let read =
        T::command().try_get_matches_from(args).and_then(|m: ArgMatches| T::from_arg_matches(&m));
    read.map_err(|error| {
        if error.exit_code() == 0 {
            return (error.render().to_string(), 0);
        }
        let problems = problems(&T::command(), args);
        match problems.len() {
            0 => (error.render().to_string(), EXIT_USAGE),
            n => (format!("{n} wrong setting(s):\n  {}\n", problems.join("\n  ")), EXIT_USAGE),
        }
    })
}

/// Asks every argument on its own whether its value is good.
fn problems(command: &Command, args: &[OsString]) -> Vec<String> {
    let mut all = Vec::new();
    for arg in command.get_arguments() {
        let Some(long) = arg.get_long() else { continue };
        let alone = Command::new("alone").arg(arg.clone());
        let given = args.iter().filter(|a| {
            a.to_str().is_some_and(|a| {
                a.strip_prefix("--").is_some_and(|a| a.split('=').next() == Some(long))
            })
        });
        let argv = std::iter::once(OsString::from("alone")).chain(given.cloned());
        if let Err(error) = alone.try_get_matches_from(argv) {
            let name =
                arg.get_env().map_or_else(|| long.into(), |e| e.to_string_lossy().into_owned());
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let secret = arg.is_hide_env_values_set();
            let why = match first.rsplit_once(": ") {
                _ if first.contains("required") => "is missing",
                // The value itself stands before the reason.
                Some((_, reason)) if secret => reason,
                _ => first,
            };
            all.push(format!("{name}: {why}"));
        }
    }
    all
}

/// A table of every setting, its default and its meaning, for `config`.
#[must_use]
pub fn describe<T: CommandFactory>() -> String {
    let mut text = String::from("| setting | default | meaning |\n| --- | --- | --- |\n");
    for arg in T::command().get_arguments() {
        let Some(env) = arg.get_env() else { continue };
        let defaults: Vec<_> =
            arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
        let default = match (defaults.is_empty(), arg.is_required_set()) {
            (false, _) => format!("`{}`", defaults.join(",")),
            (true, true) => "required".to_owned(),
            (true, false) => String::new(),
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
        text.push_str(&format!("| `{}` | {default} | {help} |\n", env.to_string_lossy()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Sample {
        /// Number
        #[arg(long, env = "SAMPLE_NUMBER_OF_A_TEST")]
        number: u16,
        /// Wait
        #[arg(long, env = "SAMPLE_WAIT_OF_A_TEST", value_parser = duration, default_value = "1s")]
        wait: Duration,
        /// Path
        #[arg(long, env = "SAMPLE_PATH_OF_A_TEST")]
        path: PathBuf,
    }

    fn args(list: &[&str]) -> Vec<OsString> {
        list.iter().map(Into::into).collect()
    }

    #[test]
    fn all_wrong_settings_are_named_at_once() {
        let (text, code) =
            parse::<Sample>(&args(&["x", "--number=many", "--wait=soon"])).unwrap_err();
        assert_eq!(code, EXIT_USAGE);
        for name in ["SAMPLE_NUMBER", "SAMPLE_WAIT", "SAMPLE_PATH"] {
            assert!(text.contains(name), "{text}");
        }
    }

    #[test]
    fn good_settings_are_read() {
        let sample: Sample =
            parse(&args(&["x", "--number=7", "--path=/a", "--wait=250ms"])).unwrap();
        assert_eq!((sample.number, sample.wait), (7, Duration::from_millis(250)));
        assert_eq!(sample.path, PathBuf::from("/a"));
    }

    #[test]
    fn nobody_is_given_up_sooner_than_one_that_is_gone_or_never() {
        assert_eq!(poll_interval("60s"), Ok(Duration::from_mins(1)));
        assert!(poll_interval("6s").is_ok() && poll_interval("1d").is_ok());
        for wrong in ["5s", "25h", "soon"] {
            assert!(poll_interval(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_setting() {
        assert!(describe::<Sample>().contains("| `SAMPLE_WAIT_OF_A_TEST` | `1s` | Wait |"));
    }
}
