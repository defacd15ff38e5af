/** Reads Parquet through DuckDB's JDBC driver, where that is on the class path. */
@NullMarked
package dev.lockstep.data.parquet;

import org.jspecify.annotations.NullMarked;
