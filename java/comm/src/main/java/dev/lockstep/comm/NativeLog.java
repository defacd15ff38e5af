package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import dev.lockstep.natives.NativeCache;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.BytePointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Brings the notices of native code (a refused connection, say) to SLF4J; native code prints
 * nothing itself.
 */
final class NativeLog {
  private static final Logger LOG = LoggerFactory.getLogger("dev.lockstep.native");
  private static final long PERIOD_MILLIS = 250;
  private static final AtomicBoolean FOLLOWING = new AtomicBoolean();

  private static final int NONE_YET = -1;
  private static final int SEVERAL = -2;

  /** Of the groups of this process: native code does not say which rank a notice is of. */
  private static final AtomicInteger RANK = new AtomicInteger(NONE_YET);

  private NativeLog() {}

  /**
   * Starts, once in a process, the daemon thread that fetches notices.
   *
   * @param rank what this process is about to be in a group; lines carry it unless it is several
   */
  static void follow(int rank) {
    RANK.updateAndGet(before -> before == NONE_YET || before == rank ? rank : SEVERAL);
    NativeCache.initializePointers();
    if (FOLLOWING.compareAndSet(false, true)) {
      Thread thread = new Thread(NativeLog::fetchForever, "lockstep-native-log");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private static void fetchForever() {
    while (!Thread.currentThread().isInterrupted()) {
      drain();
      try {
        Thread.sleep(PERIOD_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  static void drain() {
    int rank = RANK.get();
    if (rank < 0) {
      tellAll();
      return;
    }
    try (MDC.MDCCloseable ignored = RankContext.enter(rank)) {
      tellAll();
    }
  }

  private static void tellAll() {
    for (String line = next(); !line.isEmpty(); line = next()) {
      int space = line.indexOf(' ');
      String message = line.substring(space + 1);
      if (line.startsWith("WARN ")) {
        LOG.warn(message);
      } else {
        LOG.info(message);
      }
    }
  }

  private static String next() {
    try (BytePointer line = Native.take_log_line()) {
      return line.getString();
    }
  }
}
