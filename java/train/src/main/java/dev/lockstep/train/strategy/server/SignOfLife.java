package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Work;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a rank says to a server of another process while it asks it nothing, and what nobody
 * answers. Not thread-safe.
 */
final class SignOfLife implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SignOfLife.class);

  /** What a sign says. */
  enum Of {
    /** The rank takes steps. */
    STEPS,
    /** The rank's process runs, whatever its step does. */
    PROCESS
  }

  private final Communicator group;
  private final int server;
  private final NativeMemory memory = NativeMemory.allocate(Long.BYTES);
  private @Nullable Work sending;

  SignOfLife(Communicator group, int server, Of what) {
    this.group = group;
    this.server = server;
    memory.buffer().putLong(0, what.ordinal());
  }

  /** What has come in such memory. */
  static Of read(NativeMemory memory) {
    return Of.values()[(int) memory.buffer().getLong(0)];
  }

  /** Left out while the one before has not left: the server takes in nothing. Never blocks. */
  void send() {
    try {
      if (sending == null || sending.isDone()) {
        sending = group.channel(server, Tags.SIGN).send(memory.span(0, 1, DataType.I64));
      }
    } catch (CommunicationException e) {
      // The rank's next request says so.
      log.debug("Rank {} gets no sign of life.", server, e);
    }
  }

  @Override
  public void close() {
    if (sending != null) {
      sending.cancel();
    }
    memory.close();
  }
}
