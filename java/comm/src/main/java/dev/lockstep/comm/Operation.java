package dev.lockstep.comm;

import dev.lockstep.jni.Native;

/** What a communicator can be asked to do. */
public enum Operation {
  SEND(Native.SEND),
  RECEIVE(Native.RECEIVE),
  BROADCAST(Native.BROADCAST),
  SCATTER(Native.SCATTER),
  GATHER(Native.GATHER),
  ALL_GATHER(Native.ALL_GATHER),
  REDUCE(Native.REDUCE),
  REDUCE_SCATTER(Native.REDUCE_SCATTER),
  ALL_REDUCE(Native.ALL_REDUCE),
  ALL_TO_ALL(Native.ALL_TO_ALL),
  BARRIER(Native.BARRIER),
  SPLIT(Native.SPLIT),
  REDUCE_STEP(Native.REDUCE_STEP);

  final int code;
  private final String text;

  Operation(int code) {
    this.code = code;
    this.text = name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }

  /** The operation with this code of the native library. */
  public static Operation of(long code) {
    for (Operation operation : values()) {
      if (operation.code == code) {
        return operation;
      }
    }
    throw new IllegalArgumentException("No operation has code " + code + ".");
  }

  /** Whether all ranks of the group take part, as opposed to two. */
  public boolean isCollective() {
    return this != SEND && this != RECEIVE;
  }

  /** As in "all-reduce". */
  @Override
  public String toString() {
    return text;
  }
}
