// Figures are drawn when they come near the window: plotly.js is 4.7 MB, and a page of figures takes seconds to draw.
{
  const address = document.currentScript.dataset.plotly;
  let loading = null;

  const plotly = () => {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  };

  const draw = async (place) => {
    const { data, layout, frames } = JSON.parse(place.querySelector("script").textContent);
    const Plotly = await plotly();
    place.replaceChildren();
    await Plotly.newPlot(place, { data, layout, frames, config: { responsive: true } });
  };

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "400px" },
  );
  for (const place of document.querySelectorAll(".drawn > div")) observer.observe(place);
}
