package dev.lockstep.train.memory;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Parts that are closed together, last made first; one that cannot be closed does not keep the
 * others open. One thread.
 */
public final class OwnedParts implements AutoCloseable {
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /** Has a part closed with these, once however often it is named; returns it. */
  public <T extends AutoCloseable> T add(T part) {
    if (parts.stream().noneMatch(other -> other == part)) {
      parts.push(part);
    }
    return part;
  }

  /** Closes all; throws the first failure, with the others suppressed in it. */
  @Override
  public void close() {
    RuntimeException failure = null;
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        if (failure == null) {
          failure =
              e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
