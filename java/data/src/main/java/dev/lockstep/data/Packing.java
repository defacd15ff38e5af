package dev.lockstep.data;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How stored numbers become values: the attribute conventions {@code _FillValue}, {@code
 * missing_value}, {@code valid_range}, {@code valid_min}, {@code valid_max}, {@code _Unsigned},
 * {@code scale_factor} and {@code add_offset} (NetCDF User's Guide, appendix A). Missing markers
 * and valid ranges are compared before scaling, except a range given as floating-point numbers for
 * packed integers, which holds for the values. 64-bit integers are compared as doubles, so a marker
 * above 2⁵³ also covers its neighbours that round to the same double.
 *
 * @param wrap 2^bits if integers of one sign convention are to be read in the other; else 0
 * @param toUnsigned whether it is negative numbers that are moved up
 * @param stored the numbers that are valid as stored
 * @param unpacked the values that are valid after scaling
 */
@SuppressWarnings("ArrayRecordComponent") // never changed
public record Packing(
    double wrap,
    boolean toUnsigned,
    double[] missing,
    Range stored,
    Range unpacked,
    double scale,
    double offset) {

  /** What is valid, bounds included. */
  record Range(double low, double high) {
    static final Range ALL = new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
  }

  /** Stands for an attribute whose value could not be read. */
  public record Unreadable(String reason) {}

  /**
   * Reads a variable's attributes.
   *
   * @param attributes integers as {@code long[]}, other numbers as {@code double[]}, texts as
   *     {@link String} (numbers written as text count, too), {@link Unreadable} otherwise
   * @param defaultFill the format's own fill value, which counts when {@code _FillValue} and {@code
   *     _Unsigned} are absent
   * @param type how the variable is stored
   * @throws UnreadableException if an attribute that changes values makes no sense
   */
  public static Packing of(
      Map<String, Object> attributes, @Nullable Double defaultFill, StoredNumber type) {
    boolean wrapped = isOtherSign(attributes.get("_Unsigned"), type);
    double wrap = wrapped ? Math.scalb(1.0, type.bits()) : 0;
    boolean toUnsigned = type.signed();
    double[] fill = numbers(attributes, "_FillValue", false);
    if (fill.length == 0 && defaultFill != null && !wrapped) {
      fill = new double[] {defaultFill};
    }
    double[] marked = numbers(attributes, "missing_value", false);
    double[] missing = Arrays.copyOf(fill, fill.length + marked.length);
    System.arraycopy(marked, 0, missing, fill.length, marked.length);
    Packing plain = new Packing(wrap, toUnsigned, missing, Range.ALL, Range.ALL, 1, 0);
    for (int i = 0; i < missing.length; i++) {
      missing[i] = plain.wrapped(type.stored(missing[i]));
    }
    double[] scale = numbers(attributes, "scale_factor", true);
    double[] offset = numbers(attributes, "add_offset", true);
    boolean scaled = scale.length > 0 || offset.length > 0;
    Range range = plain.validRange(attributes, type);
    boolean forValues = scaled && !type.floating() && isFloatingRange(attributes);
    return new Packing(
        wrap,
        toUnsigned,
        missing,
        forValues ? Range.ALL : range,
        forValues ? range : Range.ALL,
        scale.length == 0 ? 1 : scale[0],
        offset.length == 0 ? 0 : offset[0]);
  }

  private static boolean isOtherSign(@Nullable Object unsigned, StoredNumber type) {
    return !type.floating()
        && unsigned instanceof String text
        && text.strip().equalsIgnoreCase(type.signed() ? "true" : "false");
  }

  private static boolean isFloatingRange(Map<String, Object> attributes) {
    return attributes.get("valid_range") instanceof double[]
        || attributes.get("valid_min") instanceof double[]
        || attributes.get("valid_max") instanceof double[];
  }

  private Range validRange(Map<String, Object> attributes, StoredNumber type) {
    double[] both = numbers(attributes, "valid_range", false);
    double[] low = numbers(attributes, "valid_min", false);
    double[] high = numbers(attributes, "valid_max", false);
    if (both.length == 2) {
      low = new double[] {both[0]};
      high = new double[] {both[1]};
    }
    return new Range(
        low.length == 1 ? wrapped(type.stored(low[0])) : Double.NEGATIVE_INFINITY,
        high.length == 1 ? wrapped(type.stored(high[0])) : Double.POSITIVE_INFINITY);
  }

  private static double[] numbers(Map<String, Object> attributes, String name, boolean needed) {
    Object value = attributes.get(name);
    if (value instanceof Unreadable unreadable) {
      throw new UnreadableException("has an attribute " + name + " that " + unreadable.reason);
    }
    if (value instanceof long[] integers) {
      return Arrays.stream(integers).asDoubleStream().toArray();
    }
    if (value instanceof String text) {
      try {
        return Arrays.stream(text.strip().split("[,\\s]+"))
            .mapToDouble(Double::parseDouble)
            .toArray();
      } catch (NumberFormatException e) {
        if (needed) {
          throw new UnreadableException(
              "has the attribute " + name + " \"" + text + "\", which is not a number", e);
        }
      }
    }
    return value instanceof double[] numbers ? numbers : new double[0];
  }

  /** A variable's attributes as {@link Variable} holds them: numbers as {@code double[]}. */
  public static Map<String, Object> describing(Map<String, Object> attributes) {
    Map<String, Object> described = new LinkedHashMap<>();
    attributes.forEach(
        (name, value) -> {
          if (value instanceof long[] integers) {
            described.put(name, Arrays.stream(integers).asDoubleStream().toArray());
          } else if (value instanceof double[] || value instanceof String) {
            described.put(name, Objects.requireNonNull(value));
          }
        });
    return described;
  }

  private double wrapped(double number) {
    if (wrap == 0) {
      return number;
    }
    if (toUnsigned) {
      return number < 0 ? number + wrap : number;
    }
    return number >= wrap / 2 ? number - wrap : number;
  }

  /** Turns the first {@code count} stored numbers into values in place; missing ones become NaN. */
  public void decode(double[] values, int count) {
    for (int i = 0; wrap != 0 && i < count; i++) {
      values[i] = wrapped(values[i]);
    }
    for (double marker : missing) {
      for (int i = 0; i < count; i++) {
        if (values[i] == marker) {
          values[i] = Double.NaN;
        }
      }
    }
    keep(stored, values, count);
    if (scale != 1 || offset != 0) {
      for (int i = 0; i < count; i++) {
        values[i] = values[i] * scale + offset;
      }
    }
    keep(unpacked, values, count);
  }

  private static void keep(Range range, double[] values, int count) {
    if (!range.equals(Range.ALL)) {
      for (int i = 0; i < count; i++) {
        if (values[i] < range.low || values[i] > range.high) {
          values[i] = Double.NaN;
        }
      }
    }
  }
}
