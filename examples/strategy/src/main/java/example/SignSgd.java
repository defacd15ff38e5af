package example;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.UsedParameters;
import dev.lockstep.train.memory.ControlWords;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.LocalOptimizer;
import dev.lockstep.train.strategy.RoleContext;
import dev.lockstep.train.strategy.StrategyProvider;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;

/**
 * {@code sign_sgd}: every rank votes with the signs of its gradients, and all step by the sign of
 * the majority (Bernstein et al. 2018, "signSGD: Compressed optimisation for non-convex problems",
 * algorithm 3).
 */
public final class SignSgd implements StrategyProvider<SignSgd.Options> {
  /**
   * The keys beside {@code type}.
   *
   * @param quorum votes that a sign needs to count, at least 1
   */
  public record Options(int quorum) {
    public Options {
      if (quorum < 1) {
        throw new IllegalArgumentException("quorum: must be at least 1, not " + quorum + ".");
      }
    }

    @JsonCreator
    public static Options of(@JsonProperty("quorum") Integer quorum) {
      return new Options(quorum == null ? 1 : quorum);
    }
  }

  @Override
  public String type() {
    return "sign_sgd";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public Role create(Options options, RoleContext context) {
    FlatParameters parameters = context.parameters();
    ModelBuffers buffers = context.buffers();
    return context.worker(
        parameters,
        buffers,
        new Vote(options.quorum(), context.communicator(), parameters, buffers),
        context.own(new LocalOptimizer(context.optimizer(), parameters)),
        ParameterExchange.NONE);
  }

  /** The part of the step that is new. */
  private static final class Vote implements GradientExchange {
    private final int quorum;
    private final Communicator ranks;
    private final FlatParameters parameters;
    private final ModelBuffers buffers;
    private final ControlWords words;
    private final UsedParameters used;
    private Step current = Step.NONE;

    Vote(int quorum, Communicator ranks, FlatParameters parameters, ModelBuffers buffers) {
      this.quorum = quorum;
      this.ranks = ranks;
      this.parameters = parameters;
      this.buffers = buffers;
      words = new ControlWords(parameters.gradients());
      used = new UsedParameters(parameters.layout(), ranks);
    }

    @Override
    public double weight(Batch batch) {
      return 1; // a sign does not change with it
    }

    @Override
    public void begin(Step step) {
      current = step;
    }

    @Override
    public void backwardBegins(boolean lossIsFinite) {
      buffers.startMerge(current.batch().weight(), 0);
    }

    @Override
    public Reduced complete(Computed computed) {
      buffers.finishMerge();
      boolean finite =
          computed.lossIsFinite()
              && parameters.gradientsAreFinite(parameters.squaredGradientNorm());
      vote();
      words.set(current.needs().words());
      if (!finite) {
        words.raise(Word.FAILED);
      }
      if (!computed.usesAll()) {
        words.raise(Word.UNUSED);
      }
      ranks.allReduce(words.span(), ReduceOp.SUM);
      Set<Word> raised = words.raised();
      return new Reduced(
          used.ofAllRanks(computed, raised.contains(Word.UNUSED)),
          parameters.squaredGradientNorm(),
          !raised.contains(Word.FAILED),
          raised);
    }

    private void vote() {
      for (int group = 0; group < parameters.layout().groups().size(); group++) {
        try (PointerScope scope = new PointerScope()) {
          parameters.gradients().whole(group).sign_();
        }
        ranks.allReduce(parameters.gradients().span(group), ReduceOp.SUM);
        try (PointerScope scope = new PointerScope()) {
          var sum = parameters.gradients().whole(group);
          sum.div_(new org.bytedeco.pytorch.Scalar((double) quorum)).trunc_().sign_();
        }
      }
    }

    @Override
    public double waitedSeconds() {
      return 0;
    }
  }
}
