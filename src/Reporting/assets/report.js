const m=document.getElementById('map');if(m){const b=m.viewBox.baseVal;
m.addEventListener('wheel',e=>{e.preventDefault();const r=m.getBoundingClientRect(),k=e.deltaY>0?1.2:1/1.2,fx=(e.clientX-r.left)/r.width,fy=(e.clientY-r.top)/r.height;
b.x+=b.width*(1-k)*fx;b.y+=b.height*(1-k)*fy;b.width*=k;b.height*=k;},{passive:false});
let d=null;m.addEventListener('pointerdown',e=>{d=[e.clientX,e.clientY];m.setPointerCapture(e.pointerId);});
m.addEventListener('pointermove',e=>{if(!d)return;const r=m.getBoundingClientRect(),s=Math.max(b.width/r.width,b.height/r.height);b.x-=(e.clientX-d[0])*s;b.y-=(e.clientY-d[1])*s;d=[e.clientX,e.clientY];});
m.addEventListener('pointerup',()=>{d=null;});}
