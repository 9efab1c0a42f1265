/** The style of the HTML report. */
export const REPORT_STYLE = `
body { font: 15px/1.5 'DejaVu Sans', Verdana, sans-serif; color: #222; margin: 2rem auto; max-width: 1200px; padding: 0 1rem; }
h1, h2 { font-weight: 600; }
figure { display: inline-block; margin: 0.5rem; vertical-align: top; max-width: 100%; overflow-x: auto; }
figcaption { color: #555; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { border-bottom: 1px solid #ccc; padding: 0.3rem 0.5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th:nth-child(1), th:nth-child(5) { width: 4rem; }
th:nth-child(2) { width: 7rem; }
th:nth-child(7) { width: 10rem; }
td ol { margin: 0; padding-left: 1.4rem; }
.filters label { margin-right: 1rem; }
pre { overflow-x: auto; background: #f6f6f6; padding: 1rem; }
`;
