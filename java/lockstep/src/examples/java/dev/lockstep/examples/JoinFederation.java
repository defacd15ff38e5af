package dev.lockstep.examples;

import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** An application that takes part in a federation with data of its own. */
public final class JoinFederation {
  private JoinFederation() {}

  /** Client 3 of those that clinics.yaml is about; ends with the federation. */
  public static void main(String[] arguments) {
    String ours = "data.path=/data/ours.csv";
    FederateConfig config =
        ConfigLoader.load(FederateConfig.class, Path.of("clinics.yaml"), List.of(ours));
    byte[] token = System.getenv("LOCKSTEP_TOKEN").getBytes(StandardCharsets.UTF_8);
    try (Dataset data = DataFiles.open(config.data());
        FederationClient client =
            new FederationClient(
                config.plan(), 3, data, data.split(config.data()).train(), token)) {
      client.run(System.out::println, Optional.of(Path.of("model.pt")));
    }
  }
}
