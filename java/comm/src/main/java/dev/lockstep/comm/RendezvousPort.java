package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An open port of rank 0, before its group is formed: whoever launches the ranks tells the others
 * where it is, and no port has to be guessed. Made by {@link Communicator#listen}. Close it once
 * the group is formed, or is not to be.
 */
public final class RendezvousPort implements AutoCloseable {
  private final long handle;
  private final String address;
  private final int port;
  private final AtomicBoolean closed = new AtomicBoolean();

  RendezvousPort(String address, int port) {
    Objects.requireNonNull(address, "address");
    try {
      this.handle = Native.open_listener(address, port);
      this.port = Native.listener_port(handle);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
    this.address = address;
  }

  /** As it was given. */
  public String address() {
    return address;
  }

  /** The port that is open, chosen by the system where 0 was asked for. */
  public int port() {
    return port;
  }

  /**
   * Joins the group as its rank 0; the others call {@link Communicator#join} with this port and the
   * same configuration. Blocks until all have joined. Once.
   *
   * @param timeoutSeconds limit for forming the group, and the default deadline of each operation
   * @param config of its backends, {@code AUTO}, {@code SHARED_MEMORY} or {@code TCP}
   * @throws RendezvousException when the group cannot be formed
   * @throws CollectiveTimeoutException naming the ranks that did not come in time
   */
  public Communicator join(
      int worldSize, String token, double timeoutSeconds, CommunicatorConfig config) {
    return CommunicatorFactory.joinAt(handle, worldSize, token, timeoutSeconds, config);
  }

  /** Closes the port, unless a group uses it. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Native.close_listener(handle);
    }
  }
}
