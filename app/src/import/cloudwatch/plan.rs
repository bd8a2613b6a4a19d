//! From the files' lines to commands.

use std::net::Ipv6Addr;

use daybook_command::batch::Line;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::read::ServerFile;

/// The namespace of everything that comes from this data set.
const CLOUDWATCH: Uuid = Uuid::from_u128(0x5b0e_91c4_77da_5f23_8c16_f4a2_0d3b_69e7);

/// How many samples one command carries.
const AT_ONCE: usize = 2_000;

fn id(of: &str) -> Uuid {
    Uuid::new_v5(&CLOUDWATCH, of.as_bytes())
}

/// The server's id: the same in every run.
#[must_use]
pub fn server_id(server: &ServerFile) -> Uuid {
    id(&format!("server/{}", server.host))
}

/// The name that the server gets: the files call it by a few hexadecimal digits.
#[must_use]
pub fn hostname(server: &ServerFile) -> String {
    format!("{}-{}.cloudwatch.example", server.sort, server.host)
}

/// The files know no addresses: one of those set aside for documentation, made of the name.
fn address(server: &ServerFile) -> Ipv6Addr {
    let number = u32::from_str_radix(&server.host, 16).unwrap_or_default();
    Ipv6Addr::from((0x2001_0db8_u128 << 96) | u128::from(number))
}

/// In what a metric is measured; the files do not say, Amazon's documentation does.
fn unit(metric: &str) -> &'static str {
    match metric {
        "cpu_utilization" => "percent",
        "disk_write_bytes" | "network_in" => "bytes",
        _ => "count",
    }
}

/// The commands of a server, each with the line of its file that it begins with.
pub fn commands(server: &ServerFile) -> impl Iterator<Item = (u64, Line)> {
    let began = server.samples.first().map(|sample| sample.at.to_rfc3339());
    let provision = command(
        "provision",
        id(&format!("provision/{}", server.host)),
        server,
        began,
        json!({
            "hostname": hostname(server),
            "ip_address": address(server),
            "server_type": server.sort,
        }),
    );
    let deliveries = server.samples.chunks(AT_ONCE).enumerate().map(move |(number, samples)| {
        let listed: Vec<Value> = samples
            .iter()
            .map(|sample| {
                json!({
                    "metric_type": server.metric,
                    "value": sample.value.to_string(),
                    "unit": unit(&server.metric),
                    "recorded_at": sample.at,
                })
            })
            .collect();
        let command_id = id(&format!("usage/{}/{}/{number}", server.host, server.metric));
        let line = samples.first().map_or(1, |sample| sample.line);
        let data = json!({ "samples": listed });
        (line, command("record_usage", command_id, server, None, data))
    });
    std::iter::once((1, provision)).chain(deliveries)
}

fn command(
    name: &str,
    command_id: Uuid,
    server: &ServerFile,
    occurred_at: Option<String>,
    data: Value,
) -> Line {
    let data = match data {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    Line {
        id: Some(command_id),
        command_type: format!("datacentre.server.{name}"),
        stream_id: Some(server_id(server)),
        expected_version: None,
        occurred_at,
        data,
    }
}
