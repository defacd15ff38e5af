package dev.lockstep.data;

import org.jspecify.annotations.Nullable;

/**
 * How a file stores a number.
 *
 * @param floating whether it is a floating-point number rather than an integer
 * @param bits its width
 * @param signed whether negative numbers can be stored
 */
public record StoredNumber(boolean floating, int bits, boolean signed) {
  private static final double FLOATING_FILL = 9.9692099683868690e+36;

  /** An integer. */
  public static StoredNumber integer(int bits, boolean signed) {
    return new StoredNumber(false, bits, signed);
  }

  /** A floating-point number. */
  public static StoredNumber floating(int bits) {
    return new StoredNumber(true, bits, true);
  }

  /**
   * The value that NetCDF writes where nothing was (netcdf.h, {@code NC_FILL_*}); null where all
   * values are in use, as those of a single byte are.
   */
  public @Nullable Double netcdfFill() {
    if (floating && bits == Float.SIZE) {
      return (double) (float) FLOATING_FILL;
    }
    if (floating) {
      return bits == Double.SIZE ? FLOATING_FILL : null;
    }
    return switch (bits) {
      case Short.SIZE -> signed ? -32767.0 : 65535.0;
      case Integer.SIZE -> signed ? -2147483647.0 : 4294967295.0;
      // −2⁶³ + 2 and 2⁶⁴ − 2, rounded as the values themselves are.
      case Long.SIZE -> signed ? -0x1p63 : 0x1p64;
      default -> null;
    };
  }

  /** A number as this type stores it: 1e34 in a double attribute marks 1e34f. */
  public double stored(double number) {
    return floating && bits == Float.SIZE ? (float) number : number;
  }

  /** The value of 64 unsigned bits, rounded once. */
  public static double unsignedToDouble(long bits) {
    // Halving keeps the lowest bit, so that rounding is as of the whole number.
    return bits >= 0 ? bits : ((bits >>> 1) | (bits & 1)) * 2.0;
  }
}
