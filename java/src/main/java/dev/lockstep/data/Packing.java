package dev.lockstep.data;

import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How stored numbers become values: the NetCDF attribute conventions {@code _FillValue}, {@code
 * missing_value}, {@code scale_factor} and {@code add_offset} (NetCDF User's Guide, appendix A).
 * The markers are compared before scaling. 64-bit integers are compared as doubles, so a marker
 * above 2⁵³ also covers its neighbours that round to the same double.
 */
@SuppressWarnings("ArrayRecordComponent") // never leaves the package
record Packing(double[] missing, double scale, double offset) {

  /**
   * Reads a variable's attributes.
   *
   * @param defaultFill the format's own fill value, which counts when {@code _FillValue} is absent
   * @param stored rounds a number to the variable's type: 1e34 in a double attribute marks 1e34f
   */
  static Packing of(
      Map<String, Object> attributes, @Nullable Double defaultFill, DoubleUnaryOperator stored) {
    double[] fill = numbers(attributes, "_FillValue");
    if (fill.length == 0 && defaultFill != null) {
      fill = new double[] {defaultFill};
    }
    double[] marked = numbers(attributes, "missing_value");
    double[] missing = new double[fill.length + marked.length];
    for (int i = 0; i < missing.length; i++) {
      missing[i] = stored.applyAsDouble(i < fill.length ? fill[i] : marked[i - fill.length]);
    }
    double[] scale = numbers(attributes, "scale_factor");
    double[] offset = numbers(attributes, "add_offset");
    return new Packing(
        missing, scale.length == 0 ? 1 : scale[0], offset.length == 0 ? 0 : offset[0]);
  }

  private static double[] numbers(Map<String, Object> attributes, String name) {
    return attributes.get(name) instanceof double[] numbers ? numbers : new double[0];
  }

  /** Turns the first {@code count} stored numbers into values in place; missing ones become NaN. */
  void decode(double[] values, int count) {
    for (double marker : missing) {
      for (int i = 0; i < count; i++) {
        if (values[i] == marker) {
          values[i] = Double.NaN;
        }
      }
    }
    if (scale != 1 || offset != 0) {
      for (int i = 0; i < count; i++) {
        values[i] = values[i] * scale + offset;
      }
    }
  }
}
