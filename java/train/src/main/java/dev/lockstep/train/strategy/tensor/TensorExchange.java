package dev.lockstep.train.strategy.tensor;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.torch.TensorSpans;
import dev.lockstep.train.TrainingException;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.strategy.AllReduceExchange;
import dev.lockstep.train.strategy.Mesh;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * The exchange where layers are cut: gradients are summed over the ranks with the same slices; then
 * the ranks that compute layers together take the first one's gradients of what they all have, so
 * that these stay equal to the bit even if their processors round differently, and tell each other
 * of words, of what is not finite, and of their share of the norm.
 */
final class TensorExchange implements GradientExchange {
  private static final Word[] WORDS = Word.values();

  private final AllReduceExchange sum;
  private final FlatParameters parameters;
  private final Mesh mesh;
  private final List<Slot> replicated = new ArrayList<>();
  private final List<Slot> ownSlots = new ArrayList<>();

  /** By index, the parameters whose first gradient in a pass may not be all of it. */
  private final BitSet shared = new BitSet();

  private Step current = Step.NONE;
  private long waitedNanos;

  /** Owns {@code sum}. */
  TensorExchange(
      AllReduceExchange sum, FlatParameters parameters, SlicedParameters sliced, Mesh mesh) {
    this.sum = sum;
    this.parameters = parameters;
    this.mesh = mesh;
    List<Slot> slots = parameters.layout().slots();
    for (int i = 0; i < slots.size(); i++) {
      String name = slots.get(i).name();
      (sliced.isReplicated(name) ? replicated : ownSlots).add(slots.get(i));
      shared.set(i, sliced.isShared(name));
    }
  }

  @Override
  public double weight(Batch batch) {
    return sum.weight(batch);
  }

  @Override
  public void begin(Step step) {
    current = step;
    sum.begin(step);
  }

  @Override
  public void backwardBegins(boolean lossIsFinite) {
    try {
      sum.backwardBegins(lossIsFinite);
    } catch (CommunicationException e) {
      throw SliceFailure.inData(e, mesh);
    }
  }

  @Override
  public boolean wantsEach() {
    return sum.wantsEach();
  }

  @Override
  public void ready(int parameter) {
    if (shared.get(parameter)) {
      return; // It leaves when the pass is over.
    }
    try {
      sum.ready(parameter);
    } catch (CommunicationException e) {
      throw SliceFailure.inData(e, mesh);
    }
  }

  @Override
  public Reduced complete(Computed computed) {
    Reduced own = sumOfSameSlices(computed);
    if (!own.owned().equals(parameters.layout().everything())) {
      throw unused(computed);
    }
    if (mesh.tensor().size() == 1) {
      return own;
    }
    long start = System.nanoTime();
    try {
      Communicator ranks = mesh.tensor();
      takeFirstRanksGradients();
      int[] flags = new int[WORDS.length + 1];
      own.raised().forEach(word -> flags[word.ordinal()] = 1);
      flags[WORDS.length] = own.finite() ? 0 : 1;
      int[] all = ranks.allReduce(flags, ReduceOp.MAX);
      boolean finite = all[WORDS.length] == 0;
      double norm = current.needs().norm() && finite ? squares() : own.squaredNorm();
      return new Reduced(own.owned(), norm, finite, raised(all));
    } catch (CommunicationException e) {
      throw SliceFailure.inTensor(e, mesh);
    } finally {
      waitedNanos += System.nanoTime() - start;
    }
  }

  private Reduced sumOfSameSlices(Computed computed) {
    try {
      return sum.complete(computed);
    } catch (CommunicationException e) {
      throw SliceFailure.inData(e, mesh);
    }
  }

  /** One message for each element type. */
  private void takeFirstRanksGradients() {
    for (int group = 0; group < parameters.layout().groups().size(); group++) {
      int type = group;
      List<Slot> slots = replicated.stream().filter(slot -> slot.group() == type).toList();
      if (!slots.isEmpty()) {
        takeFirstRanksGradients(slots);
      }
    }
  }

  private void takeFirstRanksGradients(List<Slot> slots) {
    boolean gives = mesh.tensor().rank() == 0;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      long count = slots.stream().mapToLong(Slot::count).sum();
      TensorOptions type =
          new TensorOptions(parameters.layout().groups().get(slots.get(0).group()).type());
      Tensor message = torch.empty(new long[] {count}, type, new MemoryFormatOptional());
      if (gives) {
        copy(slots, message, true);
      }
      mesh.tensor().broadcast(TensorSpans.of(message), 0);
      if (!gives) {
        copy(slots, message, false);
      }
    }
  }

  private void copy(List<Slot> slots, Tensor message, boolean into) {
    long at = 0;
    for (Slot slot : slots) {
      Tensor place = message.narrow(0, at, slot.count());
      Tensor gradient = parameters.gradients().view(slot).view(-1);
      if (into) {
        place.copy_(gradient);
      } else {
        gradient.copy_(place);
      }
      at += slot.count();
    }
  }

  /** The squared norm of the whole gradient: slices of all ranks, the rest once. */
  private double squares() {
    double squares = mesh.tensor().allReduce(new double[] {squares(ownSlots)}, ReduceOp.SUM)[0];
    return squares + squares(replicated);
  }

  private double squares(List<Slot> slots) {
    double squares = 0;
    for (Slot slot : slots) {
      squares +=
          parameters.squaredGradientNorm(
              new ParameterRange(slot.group(), slot.offset(), slot.count()));
    }
    return squares;
  }

  private static Set<Word> raised(int[] flags) {
    Set<Word> raised = EnumSet.noneOf(Word.class);
    for (Word word : WORDS) {
      // All parameters are used: whether a single rank of several used all of its own is no news.
      if (flags[word.ordinal()] != 0 && word != Word.UNUSED) {
        raised.add(word);
      }
    }
    if (flags[WORDS.length] != 0) {
      raised.add(Word.FAILED);
    }
    return raised;
  }

  private TrainingException unused(Computed computed) {
    return new TrainingException(
        "The loss does not depend on the parameter "
            + parameters.name(computed.used().nextClearBit(0))
            + ", and tensor_parallel updates all parameters in every step; remove it from the"
            + " model, or use strategy.type: data_parallel.");
  }

  @Override
  public void declare(TrainingState state) {
    sum.declare(state);
  }

  @Override
  public double waitedSeconds() {
    return sum.waitedSeconds() + waitedNanos * 1e-9;
  }

  @Override
  public void close() {
    sum.close();
  }
}
