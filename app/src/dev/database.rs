//! The database to work on: the one that was named, or the private one.

use std::path::Path;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use super::DevError;
use super::cluster::SUPERUSER;
use super::home::{Home, random_secret};
use super::private::Private;
use crate::config::{DatabaseUrl, Settings};
use crate::database::{self, DatabaseError, PoolSizes, Pools, migrate};

/// The name of the private database.
pub const DATABASE: &str = "daybook";
const SERVICE: &str = "daybook_service";

/// What may be done to the database before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparation {
    /// Make roles and run migrations, where the URL allows that: for `daybook dev`.
    Migrate,
    /// Keep the private database's schema up to date, and take a named one as it is: for tools.
    MigratePrivate,
    /// Take the schema as it is: for those who look at it or change it themselves.
    AsItIs,
}

/// A database to work on, for as long as this lives.
#[derive(Debug)]
pub struct Database {
    /// How the service connects.
    pub service: PgConnectOptions,
    /// How an administrator connects, where that is known.
    pub admin: Option<PgConnectOptions>,
    /// The private server; `None` when the database was named.
    pub private: Option<Private>,
}

impl Database {
    /// Opens the service's pools.
    ///
    /// # Errors
    /// See [`Pools::connect`].
    pub async fn pools(&self, settings: &Settings) -> Result<Pools, DatabaseError> {
        let sizes = PoolSizes {
            writer: settings.writer_connections,
            projector: settings.projector_connections,
            reader: settings.reader_connections,
        };
        Pools::connect(&self.service, sizes).await
    }

    /// The service's URL, with its password.
    #[must_use]
    pub fn service_url(&self) -> String {
        self.service.to_url_lossy().to_string()
    }

    /// Ends the use: a private server that nobody else uses stops.
    ///
    /// # Errors
    /// When it does not.
    pub async fn close(self) -> Result<(), DevError> {
        match self.private {
            Some(private) => private.close().await,
            None => Ok(()),
        }
    }
}

/// Finds the database: the one that the settings name, else the private one, which is started if it is
/// down.
///
/// # Errors
/// When it cannot be reached or prepared.
pub async fn ensure_database(
    settings: &Settings,
    preparation: Preparation,
) -> Result<Database, DevError> {
    match &settings.database_url {
        Some(url) => named(settings, url, preparation).await,
        None => private(settings, preparation).await,
    }
}

async fn private(settings: &Settings, preparation: Preparation) -> Result<Database, DevError> {
    let private = Private::open(&settings.data_dir, &settings.postgres).await?;
    let service_password = private.home.secret("service.password")?;
    let options = |user: &str, password: &str, database: &str| {
        // Nothing of PG* in the environment is meant for this server.
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(private.port)
            .username(user)
            .password(password)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    };
    let admin = options(SUPERUSER, &private.superuser_password, DATABASE);
    make_database(&options(SUPERUSER, &private.superuser_password, "postgres")).await?;
    let mut connection = admin.connect().await.map_err(DatabaseError::Unreachable)?;
    database::bootstrap(&mut connection).await?;
    let service = options(SERVICE, &service_password, DATABASE);
    if service.connect().await.is_err() {
        database::set_service_password(&mut connection, &service_password).await?;
    }
    connection.close().await.map_err(DatabaseError::Statement)?;
    if preparation != Preparation::AsItIs {
        migrate::up(&admin, None).await?;
    }
    Ok(Database { service, admin: Some(admin), private: Some(private) })
}

async fn make_database(server: &PgConnectOptions) -> Result<(), DatabaseError> {
    let mut connection = server.connect().await.map_err(DatabaseError::Unreachable)?;
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'daybook')")
            .fetch_one(&mut connection)
            .await?;
    if !exists {
        match sqlx::raw_sql("CREATE DATABASE daybook").execute(&mut connection).await {
            // Another process was as quick.
            Err(error) if has_code(&error, &["42P04", "23505"]) => {}
            other => {
                other?;
            }
        }
    }
    connection.close().await?;
    Ok(())
}

async fn named(
    settings: &Settings,
    url: &DatabaseUrl,
    preparation: Preparation,
) -> Result<Database, DevError> {
    let given = url.options()?;
    let admin = settings.migrate_url.as_ref().map(DatabaseUrl::options).transpose()?;
    let mut connection = given.connect().await.map_err(DatabaseError::Unreachable)?;
    let administrates =
        database::may_bootstrap(&mut connection).await.map_err(DatabaseError::Statement)?;
    if !administrates {
        connection.close().await.map_err(DatabaseError::Statement)?;
        if let (Some(admin), Preparation::Migrate) = (&admin, preparation) {
            migrate::up(admin, None).await?;
        }
        return Ok(Database { service: given, admin, private: None });
    }
    // An administrator's URL: the service gets a login of its own.
    let service = service_beside(&mut connection, &given, &settings.data_dir, preparation).await?;
    connection.close().await.map_err(DatabaseError::Statement)?;
    let admin = admin.unwrap_or(given);
    if preparation == Preparation::Migrate {
        migrate::up(&admin, None).await?;
    }
    Ok(Database { service, admin: Some(admin), private: None })
}

/// A login as the service on a server that we know as administrators: with the password that was kept, or
/// a new one if the role is new. A password that somebody else gave it is never replaced.
async fn service_beside(
    connection: &mut PgConnection,
    given: &PgConnectOptions,
    data_dir: &Path,
    preparation: Preparation,
) -> Result<PgConnectOptions, DevError> {
    let home = Home::open(data_dir, None)?;
    let file =
        format!("service-{}-{}.password", given.get_host().replace('/', "_"), given.get_port());
    let service = given.clone().username(SERVICE);
    let known = home.known_secret(&file)?;
    let with_known = service.clone().password(known.as_deref().unwrap_or_default());
    if with_known.connect().await.is_ok() {
        return Ok(with_known);
    }
    let exists: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybook_service')",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(DatabaseError::Statement)?;
    if exists || preparation != Preparation::Migrate {
        return Err(DevError::ServiceUnknown { exists });
    }
    database::bootstrap(connection).await?;
    let password = random_secret()?;
    home.keep_secret(&file, &password)?;
    database::set_service_password(connection, &password).await?;
    Ok(service.password(&password))
}

fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code().map(|code| codes.contains(&code.as_ref())))
        .unwrap_or(false)
}
