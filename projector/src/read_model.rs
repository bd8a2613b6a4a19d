//! The macro behind `catalog.rs`: from the lists of tables and projections, everything that must
//! visit each of them.

/// Makes `Event`, `Touched`, `Rows` and `Tables` out of the two lists.
macro_rules! read_model {
    (
        tables { $($table:ident: $Row:ident,)+ }
        projections { $($kind:literal => $Kind:ident($module:ident, $Event:ident) in [$($made:ident),*],)+ }
    ) => {
        /// An event that this build can post.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event {
            $(#[doc = concat!("Of `", $kind, "`.")] $Kind($Event),)+
        }

        impl Event {
            /// The kinds of streams that have a projection.
            pub const KINDS: &'static [&'static str] = &[$($kind),+];

            /// Reads an event.
            ///
            /// # Errors
            /// When this build does not know its type or version, or its fields do not fit: never skipped.
            pub fn decode(recorded: &Recorded) -> Result<Self, DecodeError> {
                let data = recorded.data.get();
                match recorded.kind() {
                    $($kind => {
                        <$Event as EventMessage>::decode(&recorded.event_type, recorded.schema_version, data).map(Self::$Kind)
                    })+
                    _ => Err(DecodeError::UnknownName { of: "event", name: recorded.event_type.clone() }),
                }
            }

            /// Names the rows that the event needs or makes; they follow from the event alone.
            pub fn touches(&self, recorded: &Recorded, touched: &mut Touched) {
                match self {
                    $(Self::$Kind(event) => $module::touches(event, recorded, touched),)+
                }
            }

            /// What the event makes of the rows. Pure: the same event and rows give the same rows.
            ///
            /// # Errors
            /// When the rows are not as the events before left them.
            pub fn project(&self, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
                match self {
                    $(Self::$Kind(event) => $module::project(event, recorded, rows),)+
                }
            }
        }

        /// The keys that events touch.
        #[derive(Debug, Clone, Default)]
        pub struct Touched {
            $(#[doc = concat!("Of `", stringify!($table), "`.")] pub $table: TouchedKeys<$Row>,)+
        }

        /// The rows that events touch.
        #[derive(Debug, Clone, Default)]
        pub struct Rows {
            $(#[doc = concat!("Of `", stringify!($table), "`.")] pub $table: TableRows<$Row>,)+
        }

        /// What a stream's rows were, and are.
        #[derive(Debug, Default)]
        pub struct NetRows {
            $($table: BTreeMap<<$Row as Row>::Key, Net<$Row>>,)+
        }

        impl NetRows {
            /// Takes in what the event just projected has changed; nothing of it without a `by`.
            pub(crate) fn note(&mut self, rows: &mut Rows, by: Option<&By>) {
                $(between::note(&mut rows.$table, &mut self.$table, by);)+
            }

            /// Hands over the rows that are not what they were.
            pub(crate) fn differing(self, found: &mut Vec<NetRow>) -> Result<(), serde_json::Error> {
                $(between::differing(self.$table, found)?;)+
                Ok(())
            }
        }

        impl Touched {
            /// The tables that rows are touched of.
            pub fn tables(&self) -> Vec<&'static str> {
                let mut tables = Vec::new();
                $(if !self.$table.is_empty() {
                    tables.push($Row::TABLE);
                })+
                tables
            }

            /// The records of the rows with these keys, as the tables have them now; of those tables
            /// that have a form.
            pub(crate) async fn records(
                self,
                forms: &BTreeMap<&'static str, Form>,
                tables: &Tables,
                connection: &mut PgConnection,
            ) -> Result<Vec<RowRecord>, sqlx::Error> {
                let mut records = Vec::new();
                $(if let Some(form) = forms.get($Row::TABLE) {
                    let keys = self.$table.into_keys();
                    if !keys.is_empty() {
                        row_topics::records::<$Row>(form, &tables.$table, keys, connection, &mut records).await?;
                    }
                })+
                Ok(records)
            }
        }

        /// Every projection, with the tables whose rows it makes.
        pub const PROJECTIONS: &[ProjectionInfo] =
            &[$(ProjectionInfo { kind: $kind, tables: &[$(stringify!($made)),*] },)+];

        /// Every read table, in the order in which rows are made; `audit_logs` is last.
        pub const TABLES: &[TableInfo] = &[$(TableInfo::of::<$Row>(),)+ TableInfo::of::<AuditLogRow>()];

        /// The statements of every table in one schema.
        #[derive(Debug, Clone)]
        pub struct Tables {
            $(pub(crate) $table: Statements,)+
            pub(crate) audit_logs: Statements,
        }

        impl Tables {
            /// The statements for the tables in `schema`.
            #[must_use]
            pub fn of(schema: &str) -> Self {
                Self {
                    $($table: Statements::of::<$Row>(schema),)+
                    audit_logs: Statements::of::<AuditLogRow>(schema),
                }
            }
        }

        impl Rows {
            /// No rows, of tables that are empty: what is not here is not there.
            #[must_use]
            pub fn of_empty_tables() -> Self {
                Self { $($table: TableRows::of_empty_table(),)+ }
            }

            /// Starts a batch and loads what it touches and is not here, one statement a table.
            pub(crate) async fn load(
                &mut self,
                touched: Touched,
                tables: &Tables,
                connection: &mut PgConnection,
            ) -> Result<(), sqlx::Error> {
                $({
                    let missing = self.$table.begin(touched.$table);
                    let rows = write::load::<$Row>(&tables.$table, &missing, connection).await?;
                    self.$table.loaded(missing, rows);
                })+
                Ok(())
            }

            /// Starts a batch over empty tables: nothing is loaded, what is not here is not there.
            pub(crate) fn begin(&mut self, touched: Touched) {
                $({
                    let missing = self.$table.begin(touched.$table);
                    self.$table.loaded(missing, Vec::new());
                })+
            }

            /// Writes everything that differs from the tables, and gives the number of rows.
            pub(crate) async fn write(
                &self,
                tables: &Tables,
                connection: &mut PgConnection,
            ) -> Result<usize, sqlx::Error> {
                $(let $table = self.$table.writes();)+
                let mut count = 0;
                read_model!(@delete self tables connection count [] $($table)+);
                $(count += write::insert(&tables.$table, &$table.inserts, connection).await?;)+
                $(count += write::update(&tables.$table, &$table.updates, connection).await?;)+
                Ok(count)
            }

            /// Writes by COPY what is settled, and of the rest what exceeds `keep` rows a table;
            /// forgets what it wrote. Gives the number of rows.
            pub(crate) async fn spill(
                &mut self,
                keep: usize,
                tables: &Tables,
                connection: &mut PgConnection,
            ) -> Result<usize, sqlx::Error> {
                let mut count = 0;
                $(count += write::spill(&mut self.$table, keep, &tables.$table, connection).await?;)+
                Ok(count)
            }

            /// Takes down what the event just projected has changed.
            pub(crate) fn record(&mut self, trail: &mut Trail<'_>) -> Result<(), Fault> {
                $(for change in self.$table.take_changes() {
                    if $Row::AUDITED {
                        trail.add(&change)?;
                    }
                })+
                Ok(())
            }

            /// The months of partitioned tables that are about to be written.
            pub(crate) fn months(&self, months: &mut BTreeSet<Month>) {
                $(if $Row::MONTH.is_some() {
                    for row in self.$table.writes().inserts {
                        months.extend(row.month().map(month_of::<$Row>));
                    }
                })+
            }

            /// Every row, as people may see it.
            ///
            /// # Errors
            /// A row that is no JSON: a fault in a column's type.
            pub fn seen(&self) -> Result<Vec<SeenRow>, serde_json::Error> {
                let mut seen = Vec::new();
                $(for row in self.$table.current() {
                    seen.push(SeenRow {
                        table: $Row::TABLE,
                        entity: row.entity(),
                        row: serde_json::value::RawValue::from_string(row.json(None))?,
                    });
                })+
                Ok(seen)
            }
        }
    };
    // Children before parents.
    (@delete $self:ident $tables:ident $connection:ident $count:ident [$($reversed:ident)*] $next:ident $($rest:ident)*) => {
        read_model!(@delete $self $tables $connection $count [$next $($reversed)*] $($rest)*)
    };
    (@delete $self:ident $tables:ident $connection:ident $count:ident [$($reversed:ident)*]) => {
        $($count += write::delete(&$tables.$reversed, &$reversed.deletes, $connection).await?;)*
    };
}
