defmodule App.MixProject do
  use Mix.Project
  defp deps, do: []
end
