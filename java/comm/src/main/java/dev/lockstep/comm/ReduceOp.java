package dev.lockstep.comm;

import dev.lockstep.jni.Native;

/**
 * How corresponding elements of all ranks are combined. Results have the same bits on every rank.
 */
public enum ReduceOp {
  /** Integers wrap around. */
  SUM(Native.SUM),
  /** The sum divided by the number of ranks; integers round toward zero. */
  AVERAGE(Native.AVERAGE),
  /** NaN when any operand is NaN. */
  MIN(Native.MIN),
  /** NaN when any operand is NaN. */
  MAX(Native.MAX),
  /** Integers wrap around. */
  PRODUCT(Native.PRODUCT);

  private final int code;

  ReduceOp(int code) {
    this.code = code;
  }

  /** Its number in the native library. */
  public int code() {
    return code;
  }
}
