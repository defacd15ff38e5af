package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.util.Locale;

/** The collectives whose algorithm can be chosen. */
public enum Collective {
  BROADCAST(Native.BROADCAST),
  SCATTER(Native.SCATTER),
  GATHER(Native.GATHER),
  ALL_GATHER(Native.ALL_GATHER),
  REDUCE(Native.REDUCE),
  REDUCE_SCATTER(Native.REDUCE_SCATTER),
  ALL_REDUCE(Native.ALL_REDUCE),
  ALL_TO_ALL(Native.ALL_TO_ALL),
  BARRIER(Native.BARRIER);

  final int code;

  Collective(int code) {
    this.code = code;
  }

  /** As in tuning files: {@code all-reduce}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
