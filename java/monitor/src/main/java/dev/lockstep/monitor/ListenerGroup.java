package dev.lockstep.monitor;

import dev.lockstep.monitor.TrainingEvent.Started;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Passes every event on to its members, in order, and keeps their failures from each other. */
final class ListenerGroup implements TrainingListener {
  private static final Logger log = LoggerFactory.getLogger(ListenerGroup.class);

  private final List<TrainingListener> members;

  /** What has been logged: a listener that fails at every step says so once. */
  private final Set<String> logged = new HashSet<>();

  ListenerGroup(List<TrainingListener> members) {
    this.members = List.copyOf(members);
  }

  @Override
  public void on(TrainingEvent event) {
    for (TrainingListener member : members) {
      try {
        member.on(event);
      } catch (RuntimeException e) {
        if (event instanceof Started) {
          throw e;
        }
        log(member, event, e);
      }
    }
  }

  private void log(TrainingListener member, TrainingEvent event, RuntimeException e) {
    String what = member.getClass().getName() + " at " + event.getClass().getSimpleName();
    if (logged.add(what)) {
      log.error("A listener failed, and training goes on: {}: {}", what, e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    RuntimeException failure = null;
    for (TrainingListener member : members) {
      try {
        member.close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
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
