package dev.lockstep.comm;

import java.util.Objects;

/**
 * One send or receive of an {@linkplain Communicator#exchange exchange}.
 *
 * @param peer a rank; of a receive also {@link Communicator#ANY_RANK}
 * @param tag from 0 to 32,767
 */
public record Transfer(boolean isSend, Span data, int peer, int tag) {
  public Transfer {
    Objects.requireNonNull(data, "data");
  }

  /** Sends {@code data} to rank {@code to}. */
  public static Transfer send(Span data, int to, int tag) {
    return new Transfer(true, data, to, tag);
  }

  /** Receives exactly {@code data.count()} elements from rank {@code from}. */
  public static Transfer receive(Span data, int from, int tag) {
    return new Transfer(false, data, from, tag);
  }
}
