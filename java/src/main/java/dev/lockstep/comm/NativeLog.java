package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.javacpp.BytePointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the notices of native code (a refused connection, say) to SLF4J; native code prints
 * nothing itself.
 */
final class NativeLog {
  private static final Logger LOG = LoggerFactory.getLogger("dev.lockstep.native");
  private static final long PERIOD_MILLIS = 250;
  private static final AtomicBoolean FOLLOWING = new AtomicBoolean();

  private NativeLog() {}

  /** Starts, once in a process, the daemon thread that fetches notices. */
  static void follow() {
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
