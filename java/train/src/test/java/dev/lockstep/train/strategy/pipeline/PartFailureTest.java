package dev.lockstep.train.strategy.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.strategy.Mesh;
import dev.lockstep.train.strategy.pipeline.ModelCut.Cuttable;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two pipelines of two ranks, of which one rank leaves. */
@Timeout(60)
class PartFailureTest {
  private static final int GONE = 3;

  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  /** Rank 0 shares no group of the mesh with rank 3; its neighbours leave because of rank 3. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void allRanksNameTheFirstThatIsGoneWhicheverNeighbourLeavesThem(boolean rank0InPipeline)
      throws Exception {
    List<String> told =
        RankThreads.run(
            4,
            world -> {
              try (Mesh mesh = Mesh.form(world, MeshConfig.defaults(), 2, 1)) {
                boolean inPipeline = world.rank() == 0 ? rank0InPipeline : world.rank() == 2;
                return world.rank() == GONE ? "" : failure(mesh, inPipeline);
              }
            });
    String expected = "3: Rank 3, which has part 1 of 2 (layer1), is gone";
    assertEquals(List.of(expected, expected, expected, ""), told);
  }

  private static String failure(Mesh mesh, boolean inPipeline) {
    Communicator group = inPipeline ? mesh.pipeline() : mesh.data();
    PeerFailedException seen = assertThrows(PeerFailedException.class, group::barrier);
    CommunicationException named;
    try (Model model = Model.mlp(ModelConfig.of(null, List.of(8), null, null, null), 4, 2, 1)) {
      ModelCut cut = new Cuttable(model).at(model, List.of("layer0", "layer1"));
      named =
          inPipeline
              ? PartFailure.inPipeline(seen, cut, mesh)
              : PartFailure.inData(seen, cut, mesh);
    }
    String message = String.valueOf(named.getMessage());
    return named.rank() + ": " + message.substring(0, message.indexOf(", is gone") + 9);
  }
}
