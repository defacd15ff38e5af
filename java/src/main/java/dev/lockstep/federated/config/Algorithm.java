package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What clients do in a round. */
public enum Algorithm {
  /** Plain local training (McMahan et al. 2017). */
  @JsonProperty("fedavg")
  FEDAVG,
  /** With a pull to the server's model (Li et al. 2020). */
  @JsonProperty("fedprox")
  FEDPROX,
  /** With control variates against the clients' drift, option II (Karimireddy et al. 2020). */
  @JsonProperty("scaffold")
  SCAFFOLD,
  /** Changes divided by the steps that made them (Wang et al. 2020). */
  @JsonProperty("fednova")
  FEDNOVA,
  /** Asynchronous, with a buffer at the server (Nguyen et al. 2022). */
  @JsonProperty("fedbuff")
  FEDBUFF
}
