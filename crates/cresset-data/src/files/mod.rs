//! Data from files, and the data sets that come with the library.

pub mod csv;
pub mod csv_columns;
mod csv_header;
mod csv_rows;
mod csv_target;
pub mod embedded;
pub mod idx;
pub mod mnist;
