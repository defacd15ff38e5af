package dev.lockstep.data;

import java.util.List;

/** A file of named arrays that can be read by ranges; one implementation for each format. */
interface ArrayFile extends AutoCloseable {
  /** What the formats that do not name dimensions call that of the samples. */
  String SAMPLES = "sample";

  /** The file, or a name in angle brackets for data that has none; for messages. */
  String location();

  /** The format for people, for example "NetCDF classic (CDF-2)". */
  String format();

  List<Variable> variables();

  /**
   * Reads {@code count} values from position {@code from} (C order) into {@code values} from
   * element 0 on. Scale and offset are applied; missing values become NaN.
   */
  void read(Variable variable, long from, int count, double[] values);

  /** How many values are worth reading at once; at least 1. */
  int blockLength(Variable variable);

  @Override
  void close();
}
