package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.train.memory.ControlWords.Word;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server of one rank's part of the parameters, on a thread of its own, which takes one event
 * after the other: a request that has come, gradients that are there, a rank that is gone.
 *
 * <p>Rank 0's server also decides when all ranks act on what any of them has said (a wish to stop,
 * say): after the last step that any rank had begun when it heard of it. Every answer carries that
 * step and the words, so each rank knows before it comes to the step's end, and nobody waits.
 */
final class SliceServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SliceServer.class);

  private final Serving serving;
  private final ServedSlice slice;
  private final boolean decides;
  private final LocalCaller local;
  private final UpdateRule rule;
  private final Thread thread;
  private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
  private final Map<Integer, Caller> callers = new ConcurrentSkipListMap<>();

  /** Ranks that have asked and not been answered. */
  private final Set<Integer> asking = ConcurrentHashMap.newKeySet();

  /** The last step that each rank has begun, as far as is known here. */
  private final Map<Integer, Long> begun = new ConcurrentHashMap<>();

  private final List<Caller> ticking = new ArrayList<>();
  private final List<Caller> meeting = new ArrayList<>();
  private final List<Caller> held = new ArrayList<>();
  private final BitSet lost = new BitSet();
  private long newWords;
  private long agreedWords;
  private long agreedAt = Answer.NONE;
  private boolean paused;
  private boolean ended;
  private volatile @Nullable RuntimeException failure;

  /**
   * Takes memory for every rank's gradients.
   *
   * @param group beside whose collectives the messages go
   * @param parameters how many tensors there are
   */
  SliceServer(
      Serving serving, Communicator group, ServedSlice slice, int parameters, Staleness staleness) {
    this.serving = serving;
    this.slice = slice;
    decides = group.rank() == 0;
    local = new LocalCaller(group.rank(), this, slice);
    for (int rank = 0; rank < group.size(); rank++) {
      callers.put(
          rank,
          rank == group.rank()
              ? local
              : new RemoteCaller(rank, group, this, slice.buffers(), parameters));
    }
    rule =
        serving.options().isSynchronous()
            ? new SynchronousUpdates(
                this, slice, serving.workers(), serving.options().dropSlowest(), staleness)
            : new StaleUpdates(this, slice, serving, staleness);
    thread = new Thread(this::serve, "lockstep-parameter-server-" + group.rank());
    thread.setDaemon(true);
  }

  /** Begins to answer. */
  void start() {
    thread.start();
  }

  LocalCaller local() {
    return local;
  }

  Staleness staleness() {
    return rule.staleness();
  }

  /** Why it serves no longer. */
  Optional<RuntimeException> failure() {
    return Optional.ofNullable(failure);
  }

  /** Has the server's thread do something, after what it has been told before. Any thread. */
  void tell(Runnable event) {
    events.add(event);
  }

  private void serve() {
    try {
      callers.values().forEach(Caller::listen);
      while (!ended) {
        events.take().run();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      fail(e);
    } catch (Error e) {
      fail(new IllegalStateException("The parameter server of this rank has failed: " + e, e));
    }
  }

  private void fail(RuntimeException why) {
    failure = why;
    if (paused && why instanceof CommunicationException) {
      // Ranks leave at the end of a run; if it does go on, this rank's next request says why not.
      log.debug("The parameter server of rank {} has ended.", local.rank(), why);
    } else {
      log.error("The parameter server of rank {} has failed.", local.rank(), why);
    }
    local.fail(why);
  }

  /** A rank asks. */
  void requested(Caller caller, Request request) {
    caller.request(request);
    asking.add(caller.rank());
    begun.merge(caller.rank(), request.clock(), Math::max);
    newWords |= request.words();
    announce();
    if (request.carriesGradients()) {
      caller.receiveGradients();
    } else {
      received(caller);
    }
  }

  /** All of a request is there. */
  void received(Caller caller) {
    Request.Kind kind = caller.request().kind();
    if (paused && kind != Request.Kind.MEET) {
      held.add(caller);
      return;
    }
    switch (kind) {
      case PUSH -> rule.pushed(caller);
      case TICK -> ticking.add(caller);
      case MEET -> meeting.add(caller);
    }
    answerTicks();
    meet();
  }

  /** A message of a rank has failed. */
  void failed(Caller caller, Throwable how) {
    Throwable cause =
        how instanceof CompletionException && how.getCause() != null ? how.getCause() : how;
    if (!callers.containsKey(caller.rank())) {
      return;
    }
    boolean gone = cause instanceof PeerFailedException;
    if (!gone || !serving.canLose(caller.rank())) {
      throw cause instanceof RuntimeException unchecked
          ? unchecked
          : new IllegalStateException(cause);
    }
    callers.remove(caller.rank());
    begun.remove(caller.rank());
    lost.set(caller.rank());
    if (working() == 0) {
      throw (PeerFailedException) cause;
    }
    if (decides) {
      log.warn("Rank {} is gone; the others go on without it.", caller.rank());
      newWords |= bit(Word.REGROUP);
      announce();
    }
    for (List<Caller> list : List.of(ticking, meeting, held)) {
      list.remove(caller);
    }
    rule.left(caller);
    caller.close();
    answerTicks();
    meet();
  }

  static long bit(Word word) {
    return 1L << word.ordinal();
  }

  /** Workers that are there. */
  int working() {
    return (int) callers.keySet().stream().filter(serving::works).count();
  }

  /** Fixes the step after which all ranks act on what has been said. */
  private void announce() {
    if (decides && newWords != 0 && agreedAt == Answer.NONE && !begun.isEmpty()) {
      agreedAt = begun.values().stream().mapToLong(step -> step).max().orElseThrow();
      agreedWords = newWords;
      newWords = 0;
    }
  }

  /** Answers a worker's push with the values as they are now. */
  void answer(Caller worker, long next) {
    begun.merge(worker.rank(), next, Math::max);
    give(worker, new Answer(next, agreedAt, agreedWords, lost));
  }

  private void give(Caller caller, Answer answer) {
    slice.copyValues(caller.data());
    caller.readVersion(slice.version());
    asking.remove(caller.rank());
    caller.answer(answer, true);
  }

  /** A rank that only serves is never ahead of the fastest worker. */
  private void answerTicks() {
    for (Caller caller : List.copyOf(ticking)) {
      long next = caller.request().clock() + 1;
      if (next <= rule.fastest()) {
        ticking.remove(caller);
        asking.remove(caller.rank());
        begun.merge(caller.rank(), next, Math::max);
        caller.answer(new Answer(next, agreedAt, agreedWords, lost), false);
      }
    }
  }

  /** When all are there, gives them the parameters, and pauses until this rank goes on. */
  private void meet() {
    if (meeting.isEmpty() || meeting.size() < callers.size()) {
      return;
    }
    long words = agreedWords | newWords;
    agreedAt = Answer.NONE;
    agreedWords = 0;
    newWords = 0;
    paused = true;
    List<Caller> all = List.copyOf(meeting);
    meeting.clear();
    for (Caller caller : all) {
      give(caller, new Answer(caller.request().clock(), Answer.NONE, words, lost));
    }
  }

  /** What {@link #meet} has paused goes on. */
  void resume() {
    paused = false;
    List<Caller> all = List.copyOf(held);
    held.clear();
    all.forEach(this::received);
  }

  /** The ranks that it has not heard of since it answered them. Any thread. */
  Collection<Integer> awaited() {
    return callers.keySet().stream().filter(rank -> !asking.contains(rank)).toList();
  }

  @Override
  public void close() {
    tell(() -> ended = true);
    if (thread.isAlive()) {
      joinThread();
    }
    callers.values().forEach(Caller::close);
  }

  private void joinThread() {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
