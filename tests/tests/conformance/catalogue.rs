//! A schema's tables as PostgreSQL has them: the same questions for what a document asks for, once
//! it is made in a schema of its own, and for what is there.

use std::collections::BTreeMap;

use sqlx::{FromRow, PgConnection};

/// A table or view.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// By name.
    pub columns: BTreeMap<String, Column>,
    /// Keys, references and checks.
    pub constraints: Vec<Constraint>,
    /// Indexes, those of constraints too.
    pub indexes: Vec<Index>,
    /// Whether it is a view.
    pub is_view: bool,
}

/// A column.
#[derive(Debug, Clone, FromRow)]
pub struct Column {
    relation: String,
    kind: String,
    name: String,
    /// As PostgreSQL writes its type.
    pub type_name: String,
    /// Whether it may be null.
    pub not_null: bool,
    /// Its default.
    pub default_value: Option<String>,
    /// Whether it is computed.
    pub generated: bool,
    /// Its type's values, if they are enumerated.
    pub labels: Option<Vec<String>>,
}

/// A constraint.
#[derive(Debug, Clone, FromRow)]
pub struct Constraint {
    relation: String,
    /// Its name.
    pub name: String,
    /// `p`, `u`, `f` or `c`.
    pub kind: String,
    /// The columns that it is on.
    pub columns: Vec<String>,
    /// For a foreign key: the table referred to.
    pub target: Option<String>,
    /// For a foreign key: `a`, `r`, `c`, `n` or `d`.
    pub on_delete: Option<String>,
    /// Its definition.
    pub text: String,
}

/// An index.
#[derive(Debug, Clone, FromRow)]
pub struct Index {
    relation: String,
    /// Its name.
    pub name: String,
    /// `btree`, `gin`, …
    pub method: String,
    /// Its columns in order, with ` DESC` behind where it is so.
    pub columns: Vec<String>,
    /// Whether it is unique, and over all rows.
    pub unique: bool,
}

const COLUMNS: &str = "
    SELECT c.relname::text AS relation, c.relkind::text AS kind, a.attname::text AS name,
           format_type(a.atttypid, a.atttypmod) AS type_name, a.attnotnull AS not_null,
           CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS default_value,
           a.attgenerated <> '' AS generated,
           (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
            FROM pg_enum e WHERE e.enumtypid = a.atttypid) AS labels
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition";

const CONSTRAINTS: &str = "
    SELECT c.relname::text AS relation, k.conname::text AS name, k.contype::text AS kind,
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (n, i)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i) AS columns,
           t.relname::text AS target,
           CASE WHEN k.contype = 'f' THEN k.confdeltype::text END AS on_delete,
           pg_get_constraintdef(k.oid) AS text
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    LEFT JOIN pg_class t ON t.oid = k.confrelid
    WHERE c.relnamespace = $1::regnamespace AND k.contype IN ('p', 'u', 'f', 'c') AND NOT c.relispartition
      AND k.conparentid = 0
    ORDER BY k.conname";

const INDEXES: &str = "
    SELECT c.relname::text AS relation, i.relname::text AS name, m.amname::text AS method,
           ARRAY(SELECT pg_get_indexdef(x.indexrelid, n, true)
                        || CASE WHEN m.amname = 'btree' AND x.indoption[n - 1] & 1 = 1 THEN ' DESC' ELSE '' END
                 FROM generate_series(1, x.indnkeyatts::int) AS n ORDER BY n) AS columns,
           x.indisunique AND x.indpred IS NULL AS unique
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class c ON c.oid = x.indrelid
    JOIN pg_am m ON m.oid = i.relam
    WHERE c.relnamespace = $1::regnamespace AND NOT c.relispartition
    ORDER BY i.relname";

/// The tables and views of a schema, by name; partitions are their parent's.
pub async fn tables(schema: &str, connection: &mut PgConnection) -> BTreeMap<String, Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
        .bind(schema)
        .fetch_one(&mut *connection)
        .await
        .expect("the catalogue");
    if !there {
        return tables;
    }
    for column in all::<Column>(COLUMNS, schema, connection).await {
        let table = tables.entry(column.relation.clone()).or_default();
        table.is_view = column.kind == "v";
        table.columns.insert(column.name.clone(), column);
    }
    for constraint in all::<Constraint>(CONSTRAINTS, schema, connection).await {
        tables.entry(constraint.relation.clone()).or_default().constraints.push(constraint);
    }
    for index in all::<Index>(INDEXES, schema, connection).await {
        tables.entry(index.relation.clone()).or_default().indexes.push(index);
    }
    tables
}

async fn all<T>(query: &'static str, schema: &str, connection: &mut PgConnection) -> Vec<T>
where
    T: for<'r> FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
{
    sqlx::query_as(query).bind(schema).fetch_all(connection).await.expect("the catalogue")
}

impl Table {
    /// The columns of the primary key.
    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.kind == "p")
    }

    /// Whether these columns, in any order, are unique together over all rows.
    pub fn is_unique(&self, columns: &[String]) -> bool {
        let mut wanted = columns.to_vec();
        wanted.sort();
        self.indexes.iter().filter(|index| index.unique).any(|index| {
            let mut has = index.columns.clone();
            has.sort();
            has == wanted
        })
    }

    /// The foreign key on exactly this column.
    pub fn foreign_key(&self, columns: &[String]) -> Option<&Constraint> {
        self.constraints
            .iter()
            .find(|constraint| constraint.kind == "f" && constraint.columns == columns)
    }

    /// The tables that it refers to.
    pub fn refers_to(&self, other: &str) -> bool {
        self.constraints.iter().any(|constraint| constraint.target.as_deref() == Some(other))
    }
}
